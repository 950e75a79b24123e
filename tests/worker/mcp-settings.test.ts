import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { handshake, Socket } from "../support/mcp.ts";
import { registerClient, rpc, signInWith } from "../support/oauth-client.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ bindings: { REQUIRE_AUTH_ON_INITIALIZE: "true" } });
});
after(() => stack.dispose());

const DISCOVERY = [
  "initialize",
  "ping",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "prompts/list",
  "prompts/get",
];

test("AU-05: REQUIRE_AUTH_ON_INITIALIZE makes every discovery method a 401 until there is a token", async () => {
  for (const method of DISCOVERY) {
    for (const token of [undefined, "test-token"]) {
      const refused = await rpc(stack, method, {}, { token });
      // A foreign bearer proves nothing.
      assert.equal(refused.status, 401, `${method} ${token}`);
      assert.match(refused.headers.get("www-authenticate") ?? "", /resource_metadata=/);
    }
  }
  const noted = await fetch(`${stack.url}/mcp`, { method: "POST", body: '{"method":"notifications/initialized"}' });
  assert.equal(noted.status, 401);
  const { accessToken: token } = await signInWith(stack, await registerClient(stack));
  for (const method of DISCOVERY) assert.equal((await rpc(stack, method, {}, { token })).status, 200);
});

test("AU-05: health, metadata and OAuth endpoints are unaffected", async () => {
  for (const path of [
    "/health",
    "/info",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/mcp",
  ]) {
    assert.equal((await fetch(`${stack.url}${path}`)).status, 200, path);
  }
});

test("AU-05: an anonymous socket hears -32001 on discovery too", async () => {
  const socket = await Socket.open(`${stack.url}/mcp`);
  const { error } = await socket.ask("tools/list");
  assert.equal((error as { code: number }).code, -32001);
  socket.ws.close();
});

test("CF-01: a missing secret: discovery answers, protected calls and streams are 503 and name it", async () => {
  await stack.restart({ MICROSOFT_CLIENT_SECRET: undefined, REQUIRE_AUTH_ON_INITIALIZE: undefined });
  const ours = `m365a.${"A".repeat(22)}.${"A".repeat(59)}`;
  for (const token of [undefined, "test-token", ours]) {
    assert.equal((await rpc(stack, "tools/list", {}, { token })).status, 200);
    const refused = await rpc(stack, "tools/call", { name: "getEmails" }, { token });
    assert.equal(refused.status, 503);
    assert.deepEqual(refused.body.keys, ["MICROSOFT_CLIENT_SECRET"]);
  }
  const stream = await fetch(`${stack.url}/sse`, { headers: { accept: "text/event-stream" } });
  assert.equal(stream.status, 503);
  const socket = await Socket.open(`${stack.url}/mcp`);
  assert.ok("result" in (await socket.ask("tools/list")));
  assert.equal(((await socket.ask("tools/call", { name: "getEmails" })).error as { code: number }).code, -32001);
  socket.ws.close();
});

test("D-09: with a canonical origin another host is 421 and gets no socket, and its loopback twin is the same host", async () => {
  await stack.restart({
    MICROSOFT_CLIENT_SECRET: stack.bindings.MICROSOFT_CLIENT_SECRET ?? "another~secret~of~this~test",
    WORKER_DOMAIN: new URL(stack.url).host,
    PROTOCOL: "http",
  });
  const { port } = new URL(stack.url);
  const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  for (const [host, status] of [
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    ["localhost:1", 421],
  ] as const) {
    assert.equal((await handshake(`${stack.url}/mcp`, { host }, body)).status, status, host);
  }
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "test",
  };
  assert.equal((await handshake(`${stack.url}/mcp`, { ...upgrade, host: "localhost:1" })).status, 421);
});
