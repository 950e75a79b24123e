// Whatever is sent, the answer is one that is specified.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { registerClient, signInWith } from "../support/oauth-client.ts";

let stack: Stack;
let bearers: string[];
before(async () => {
  stack = await startStack();
  const { accessToken, refreshToken } = await signInWith(stack, await registerClient(stack));
  bearers = ["", "Bearer", "Bearer test-token", `Bearer ${accessToken}`, `Bearer ${refreshToken}`, "Basic eDp5"];
});
after(() => stack.dispose());

const META = "io.modelcontextprotocol";
const METHODS = ["initialize", "ping", "tools/list", "tools/call", "resources/read", "prompts/get", "server/discover"];

/** Visible ASCII, as much as an HTTP client lets through. */
const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
const headers = fc.dictionary(
  fc.constantFrom(
    "accept",
    "content-type",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "last-event-id",
  ),
  fc.oneof(
    headerText,
    fc.constantFrom("2026-07-28", "2025-03-26", "v999", "tools/call", "text/event-stream", "=?base64?!?="),
  ),
);
const params = fc.record(
  {
    name: fc.oneof(fc.constantFrom("authenticate", "getEmails", "nope"), fc.jsonValue()),
    uri: fc.oneof(fc.constantFrom("microsoft://profile", "test://x"), fc.jsonValue()),
    arguments: fc.jsonValue(),
    cursor: fc.jsonValue(),
    protocolVersion: fc.jsonValue(),
    _meta: fc.oneof(
      fc.record({
        [`${META}/protocolVersion`]: fc.constantFrom("2026-07-28", "v999", 5),
        [`${META}/clientCapabilities`]: fc.oneof(fc.constant({}), fc.jsonValue()),
      }),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
);
const message = fc.record(
  {
    jsonrpc: fc.oneof(fc.constant("2.0"), fc.jsonValue()),
    id: fc.oneof(fc.integer(), fc.string(), fc.jsonValue()),
    method: fc.oneof(fc.constantFrom(...METHODS, "initialized", "notifications/x"), fc.string()),
    params: fc.oneof(params, fc.jsonValue()),
    result: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const json = fc.oneof(fc.jsonValue({ maxDepth: 6 }), message, fc.array(message, { maxLength: 5 }));
const doubled = fc
  .tuple(fc.constantFrom("id", "method", "jsonrpc", "params"), fc.jsonValue(), fc.jsonValue())
  .map(
    ([name, one, other]) =>
      `{"jsonrpc":"2.0","id":1,"method":"ping","${name}":${JSON.stringify(one)},"${name}":${JSON.stringify(other)}}`,
  );
const body = fc.oneof(
  { weight: 6, arbitrary: json.map((value) => new TextEncoder().encode(JSON.stringify(value))) },
  { weight: 1, arbitrary: doubled.map((text) => new TextEncoder().encode(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
);

/** The one status that chance alone may not come to within a run. */
const UNKNOWN_METHOD: [string, Record<string, string>, number, Uint8Array] = [
  "/mcp",
  { "mcp-protocol-version": "2026-07-28", "mcp-method": "no/such" },
  0,
  new TextEncoder().encode(
    JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "no/such",
      params: {
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    }),
  ),
];

/** What EP-01 to EP-18, AU-01 to AU-03 and ER-01 name for a POST. */
const STATUSES = new Set([200, 202, 400, 401, 404]);

test("EP-18, ER-01: any body under any headers is answered as specified, never with a 5xx", {
  timeout: 100_000,
}, async () => {
  const seen = new Map<number, number>();
  const path = fc.constantFrom("/mcp", "/sse", "/sse/message?sessionId=x");
  await fc.assert(
    fc.asyncProperty(path, headers, fc.nat(5), body, async (where, fields, bearer, bytes) => {
      const sent = { ...fields, authorization: bearers[bearer] ?? "" };
      const answered = await fetch(`${stack.url}${where}`, {
        method: "POST",
        headers: sent,
        body: new Uint8Array(bytes),
      });
      const text = await answered.text();
      seen.set(answered.status, (seen.get(answered.status) ?? 0) + 1);
      assert.ok(STATUSES.has(answered.status), `${answered.status} ${text}`);
      assert.equal(text === "", answered.status === 202);
      if (answered.status === 401) assert.match(answered.headers.get("www-authenticate") ?? "", /^Bearer /);
      assert.match(answered.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
      if (text === "") return;
      const [, event] = text.split("event: message\ndata: ");
      const reply: unknown = JSON.parse(event ?? text);
      for (const one of Array.isArray(reply) ? reply : [reply]) {
        assert.equal((one as { jsonrpc: unknown }).jsonrpc, "2.0");
        assert.ok("result" in (one as object) !== "error" in (one as object), text);
      }
    }),
    { numRuns: 1000, examples: [UNKNOWN_METHOD] },
  );
  // Had everything been refused alike, nothing would have been shown.
  for (const status of STATUSES) assert.ok((seen.get(status) ?? 0) > 0, `no ${status} in ${JSON.stringify([...seen])}`);
  await stack.settleLogs();
  assert.deepEqual(
    stack.logs.filter((line) => line.includes('"ERROR"')),
    [],
  );
});

test("EP-19: ids of every type come back as they were, through every transport of HTTP", async () => {
  const ids = fc.oneof(fc.string(), fc.integer(), fc.constantFrom(0, "", "null", 1.5, Number.MAX_SAFE_INTEGER));
  await fc.assert(
    fc.asyncProperty(ids, fc.constantFrom(...METHODS), fc.boolean(), async (id, method, isStream) => {
      const fields: Record<string, string> = isStream ? { accept: "text/event-stream" } : {};
      const sent = JSON.stringify({ jsonrpc: "2.0", id, method, params: { name: "getEmails" } });
      const text = await (await fetch(`${stack.url}/mcp`, { method: "POST", headers: fields, body: sent })).text();
      const reply = JSON.parse(text.split("\ndata: ")[1] ?? text) as { id: unknown };
      assert.equal(reply.id, id);
    }),
    { numRuns: 300 },
  );
});

test("EP-16: deep and huge bodies are refused by their size or depth, and quickly", async () => {
  const started = performance.now();
  for (const [text, status] of [
    ["[".repeat(4_000_000), 400],
    [`${"[".repeat(2_000_000)}${"]".repeat(2_000_000)}`, 400],
    [`{"a":`.repeat(700_000), 400],
    [`"${"x".repeat(4_000_000)}"`, 400],
    [
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":0`)}}}`,
      200,
    ],
  ] as const) {
    const answered = await fetch(`${stack.url}/mcp`, { method: "POST", body: text });
    assert.equal(answered.status, status, text.slice(0, 20));
    await answered.body?.cancel();
  }
  assert.ok(performance.now() - started < 20_000);
});
