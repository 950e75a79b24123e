// What a client without a sign-in sees of tools, resources and prompts, from the shipped bundle.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { rpc } from "../support/oauth-client.ts";

type Json = Readonly<Record<string, unknown>>;
let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const modern = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

test("section 10: the answer of tools/list is under 20 KB in every revision", async () => {
  const legacy = await rpc(stack, "tools/list", {});
  assert.ok(Buffer.byteLength(legacy.text) < 20_000, `${Buffer.byteLength(legacy.text)} bytes`);
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" };
  const newer = await rpc(stack, "tools/list", { _meta: modern }, { headers });
  assert.ok(Buffer.byteLength(newer.text) < 20_000, `${Buffer.byteLength(newer.text)} bytes`);
  const { tools } = legacy.body.result as { tools: { name: string }[] };
  assert.equal(tools[0]?.name, "getEmails");
  assert.equal(tools.length, TOOLS.length);
});

test("EP-10: three resources, no templates, four prompts, and no cursor", async () => {
  const counts: readonly (readonly [method: string, member: string, count: number])[] = [
    ["resources/list", "resources", 3],
    ["resources/templates/list", "resourceTemplates", 0],
    ["prompts/list", "prompts", 4],
  ];
  for (const [method, name, count] of counts) {
    const result = (await rpc(stack, method, {})).body.result as Json;
    assert.equal((result[name] as unknown[]).length, count);
    assert.equal(result.nextCursor, undefined);
    assert.equal(((await rpc(stack, method, { cursor: "x" })).body.error as Json).code, -32602);
  }
});

test("PR-01: prompts/get works without a sign-in; an unknown one or a missing argument is -32602", async () => {
  const good = await rpc(stack, "prompts/get", { name: "findContact", arguments: { name: 'Liam "L"' } });
  const { messages } = good.body.result as { messages: { content: { text: string } }[] };
  assert.ok(messages[0]?.content.text.includes('"Liam \\"L\\""'));
  for (const params of [
    { name: "nothing" },
    { name: "findContact" },
    { name: "findContact", arguments: { name: 1 } },
  ]) {
    assert.equal(((await rpc(stack, "prompts/get", params)).body.error as Json).code, -32602);
  }
});

for (const uri of ["microsoft://profile", "microsoft://calendars", "microsoft://teams"]) {
  test(`RS-04: ${uri} without a sign-in is AU-01`, async () => {
    const reply = await rpc(stack, "resources/read", { uri });
    assert.equal(reply.status, 401);
    const { data } = reply.body.error as { data: Json };
    assert.deepEqual([data.authenticated, data.type], [false, "auth_required"]);
    assert.match(reply.headers.get("www-authenticate") ?? "", /scope="[\w.]+"/);
  });
}

test("RS-05: an unknown resource is said to be unknown in both eras", async () => {
  const legacy = (await rpc(stack, "resources/read", { uri: "microsoft://x" })).body.error as {
    code: number;
    data: Json;
  };
  assert.deepEqual([legacy.code, legacy.data.uri], [-32002, "microsoft://x"]);
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "resources/read", "mcp-name": "microsoft://x" };
  const newer = await rpc(stack, "resources/read", { uri: "microsoft://x", _meta: modern }, { headers });
  assert.equal((newer.body.error as Json).code, -32602);
});

for (const name of ["getEmails", "authenticate"]) {
  test(`TL-13: ${name} without a sign-in is AU-01`, async () => {
    const reply = await rpc(stack, "tools/call", { name });
    assert.equal(reply.status, 401);
    assert.equal((reply.body.error as Json).code, -32001);
  });
}

test("EN-08: the scopes of the catalogue are in the metadata, resources included", async () => {
  const metadata = (await (await fetch(`${stack.url}/.well-known/oauth-protected-resource`)).json()) as {
    scopes_supported: string[];
  };
  for (const scope of ["User.Read", "Channel.ReadBasic.All", "OnlineMeetings.ReadWrite"]) {
    assert.ok(metadata.scopes_supported.includes(scope), scope);
  }
});
