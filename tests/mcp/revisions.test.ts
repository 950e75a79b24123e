import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Classified, classify as classifyBy } from "../../src/mcp/revisions.ts";

const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const MODERN = "2026-07-28";

interface MessageHeaders {
  readonly version: string | null;
  readonly method: string | null;
  readonly name: string | null;
}

const NONE: MessageHeaders = { version: null, method: null, name: null };

const MEMBERS = { "MCP-Protocol-Version": "version", "Mcp-Method": "method", "Mcp-Name": "name" } as const;

/** Undefined: a message of a socket. */
function classify(message: unknown, headers: MessageHeaders | undefined): Classified {
  return classifyBy(message, headers && ((field) => headers[MEMBERS[field]] ?? undefined));
}

function envelope(version: unknown = MODERN): Record<string, unknown> {
  return { [VERSION]: version, [CAPABILITIES]: {} };
}

function request(method: unknown, params?: unknown, id: unknown = 1): Record<string, unknown> {
  return { jsonrpc: "2.0", id, method, ...(params === undefined ? {} : { params }) };
}

function modern(method: string, params: object = {}, meta: object = envelope()): Record<string, unknown> {
  return request(method, { ...params, _meta: meta });
}

function headersOf(method: string, name: string | null = null, version = MODERN): MessageHeaders {
  return { version, method, name };
}

/** `status code` of a refusal, else the kind. */
function outcome(classified: Classified): string {
  if (classified.kind !== "refused") return classified.kind;
  const { error } = JSON.parse(classified.reply.body) as { error: { code: number } };
  return `${classified.reply.status} ${error.code}`;
}

function idOf(classified: Classified): unknown {
  if (classified.kind === "request") return classified.id;
  assert.equal(classified.kind, "refused");
  return classified.kind === "refused" ? (JSON.parse(classified.reply.body) as { id: unknown }).id : undefined;
}

const REFUSED: readonly (readonly [title: string, message: unknown, headers: MessageHeaders, expected: string])[] = [
  ["EP-07: an array is no message", [request("ping")], NONE, "400 -32600"],
  ["EP-07: a text is no message", "tools/list", NONE, "400 -32600"],
  ["EP-07: null is no message", null, NONE, "400 -32600"],
  ["EP-07: a method that is no text", request(5), NONE, "400 -32600"],
  ["EP-07: no method and no result", { jsonrpc: "2.0", id: 1 }, NONE, "400 -32600"],
  ["EP-07: params that are an array", request("tools/list", []), NONE, "400 -32600"],
  ["EP-07: params that are null", request("tools/list", null), NONE, "400 -32600"],
  [
    "EP-07: tools/call without an id",
    { jsonrpc: "2.0", method: "tools/call", params: { name: "x" } },
    NONE,
    "400 -32600",
  ],
  ["EP-07: tools/call without jsonrpc", { id: 1, method: "tools/call", params: { name: "x" } }, NONE, "400 -32600"],
  ["EP-07: tools/call with neither", { method: "tools/call", params: { name: "x" } }, NONE, "400 -32600"],
  ["EP-07: resources/read with neither", { method: "resources/read" }, NONE, "400 -32600"],
  ["EP-07: an unknown method with neither", { method: "no/such" }, NONE, "400 -32600"],
  ["EP-07: discovery with jsonrpc but no id", { jsonrpc: "2.0", method: "tools/list" }, NONE, "400 -32600"],
  ["EP-07: an id of null", { method: "tools/list", id: null }, NONE, "400 -32600"],
  ["EP-07: an id that is an object", request("tools/list", {}, {}), NONE, "400 -32600"],
  ["EP-07: jsonrpc 1.0", { ...request("tools/list"), jsonrpc: "1.0" }, NONE, "400 -32600"],
  ["EP-11: an unknown revision in the header", request("tools/list"), { ...NONE, version: "2025-01-01" }, "400 -32600"],
  [
    "EP-11: a notification under an unknown revision",
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { ...NONE, version: "banana" },
    "400 -32600",
  ],
  [
    "EP-11: a notification without jsonrpc under an unknown revision",
    { method: "initialized" },
    { ...NONE, version: "banana" },
    "400 -32600",
  ],
  [
    "EP-11: a result under an unknown revision",
    { jsonrpc: "2.0", id: 1, result: {} },
    { ...NONE, version: "banana" },
    "400 -32600",
  ],
  [
    "EP-11: an error under an unknown revision",
    { jsonrpc: "2.0", id: 1, error: {} },
    { ...NONE, version: "" },
    "400 -32600",
  ],
  ["PR-02: logging/setLevel", request("logging/setLevel", { level: "debug" }), NONE, "200 -32601"],
  ["PR-02: resources/subscribe", request("resources/subscribe", { uri: "a:b" }), NONE, "200 -32601"],
  ["PR-02: completion/complete", request("completion/complete"), NONE, "200 -32601"],
  ["EP-17: server/discover of a legacy client", request("server/discover"), NONE, "200 -32601"],
  ["EP-09: a notification with an id is an unknown request", request("notifications/x"), NONE, "200 -32601"],
  // The order of EP-18: each row breaks what it names and everything after it.
  ["EP-18: no capabilities", modern("no/such", {}, { [VERSION]: "v999" }), headersOf("other"), "400 -32602"],
  ["EP-18: a version that is no text", modern("no/such", {}, envelope(5)), headersOf("other"), "400 -32602"],
  ["EP-18: no envelope under a modern header", request("no/such"), headersOf("no/such"), "400 -32602"],
  ["EP-18: initialize without envelope under a modern header", request("initialize"), headersOf("a"), "400 -32602"],
  ["EP-18: header 2026-07-28, body v999", modern("no/such", {}, envelope("v999")), headersOf("no/such"), "400 -32020"],
  [
    "EP-18: another method in the header",
    modern("no/such", {}, envelope("v999")),
    headersOf("a", null, "v999"),
    "400 -32020",
  ],
  ["EP-18: both v999", modern("a/b", {}, envelope("v999")), headersOf("a/b", null, "v999"), "400 -32022"],
  ["EP-18: body v999 without headers", modern("tools/list", {}, envelope("v999")), NONE, "400 -32022"],
  ["EP-18: no version header", modern("no/such"), { ...NONE, method: "no/such" }, "400 -32020"],
  ["EP-18: no method header", modern("no/such"), { ...NONE, version: MODERN }, "400 -32020"],
  ["EP-18: no name header", modern("tools/call", { name: "nope" }), headersOf("tools/call"), "400 -32020"],
  ["EP-18: another name", modern("tools/call", { name: "a" }), headersOf("tools/call", "b"), "400 -32020"],
  ["EP-18: another URI", modern("resources/read", { uri: "a:b" }), headersOf("resources/read", "a:c"), "400 -32020"],
  ["EP-18: another prompt", modern("prompts/get", { name: "a" }), headersOf("prompts/get", "b"), "400 -32020"],
  [
    "EP-18: a name in broken base64",
    modern("tools/call", { name: "a" }),
    headersOf("tools/call", "=?base64?YQ=a=?="),
    "400 -32020",
  ],
  [
    "EP-18: a name in cut base64",
    modern("tools/call", { name: "a" }),
    headersOf("tools/call", "=?base64?ab=?="),
    "400 -32020",
  ],
  [
    "EP-18: a name that is no UTF-8",
    modern("tools/call", { name: "a" }),
    headersOf("tools/call", "=?base64?/w==?="),
    "400 -32020",
  ],
  ["EP-18: unknown method", modern("no/such"), headersOf("no/such"), "404 -32601"],
  ["EP-18: initialize has gone", modern("initialize"), headersOf("initialize"), "404 -32601"],
  ["EP-18: ping has gone", modern("ping"), headersOf("ping"), "404 -32601"],
  [
    "EP-18: subscriptions/listen is not there",
    modern("subscriptions/listen"),
    headersOf("subscriptions/listen"),
    "404 -32601",
  ],
  [
    "EP-18: an envelope without jsonrpc",
    { ...modern("tools/list"), jsonrpc: undefined },
    headersOf("tools/list"),
    "400 -32600",
  ],
];

for (const [title, message, headers, expected] of REFUSED) {
  test(`${title}: ${expected}`, () => assert.equal(outcome(classify(message, headers)), expected));
}

test("EP-18: an unsupported version names those supported and the one asked for", () => {
  const refused = classify(modern("tools/list", {}, envelope("v999")), undefined);
  assert.equal(refused.kind, "refused");
  const { error } = JSON.parse(refused.kind === "refused" ? refused.reply.body : "{}") as { error: { data: unknown } };
  assert.deepEqual(error.data, { supported: [MODERN], requested: "v999" });
});

const ACCEPTED: readonly (readonly [title: string, message: unknown, headers: MessageHeaders | undefined])[] = [
  ["EP-07: discovery without jsonrpc and id", { method: "tools/list" }, NONE],
  ["EP-07: discovery without jsonrpc", { id: "x", method: "tools/list" }, NONE],
  ["EP-18: a matching name", modern("tools/call", { name: "a" }), headersOf("tools/call", "a")],
  ["EP-18: a name in base64", modern("tools/call", { name: "é" }), headersOf("tools/call", "=?base64?w6k=?=")],
  ["EP-18: a method without a name", modern("tools/list"), headersOf("tools/list", "whatever")],
  ["EP-17: a socket has no headers to check", modern("tools/call", { name: "a" }), undefined],
  ["EP-17: server/discover", modern("server/discover"), headersOf("server/discover")],
  ["EP-11: a legacy revision in the header", request("ping"), { ...NONE, version: "2024-11-05" }],
];

for (const [title, message, headers] of ACCEPTED) {
  test(`${title} is a request`, () => assert.equal(outcome(classify(message, headers)), "request"));
}

for (const method of [
  "initialized",
  "notifications/initialized",
  "notifications/cancelled",
  "notifications/of/the/future",
]) {
  test(`EP-09, EP-18: ${method} is a notification, whatever its headers say of it`, () => {
    for (const version of [null, "2024-11-05", MODERN]) {
      assert.equal(outcome(classify({ jsonrpc: "2.0", method }, { ...headersOf("other"), version })), "notification");
    }
    const modernOne = { jsonrpc: "2.0", method, params: { _meta: envelope() } };
    assert.equal(outcome(classify(modernOne, headersOf("other", null, "v999"))), "notification");
    assert.equal(outcome(classify({ method }, NONE)), "notification");
  });
}

test("EP-19: a refused response has no id, since its own is of a request of ours", () => {
  assert.equal(idOf(classify({ jsonrpc: "2.0", id: 1, result: {} }, { ...NONE, version: "banana" })), null);
});

test("EP-09: results and errors are responses", () => {
  assert.equal(outcome(classify({ jsonrpc: "2.0", id: 1, result: {} }, NONE)), "response");
  assert.equal(outcome(classify({ jsonrpc: "2.0", id: 1, error: {} }, NONE)), "response");
});

/** Beyond it a double stands for several integers. */
const MAX = Number.MAX_SAFE_INTEGER;
const ids = fc.oneof(
  fc.string(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, min: -MAX, max: MAX }).map((id) => id + 0),
  fc.constantFrom(0, ""),
);

test("EP-19: an id comes back as it was, whether answered or refused", () => {
  fc.assert(
    fc.property(ids, fc.constantFrom("tools/list", "no/such", "tools/call"), (id, method) => {
      for (const message of [request(method, {}, id), { ...modern(method), id }, request(method, [], id)]) {
        assert.equal(idOf(classify(message, NONE)), id);
      }
    }),
  );
});

test("EP-19: an id that cannot be read is null", () => {
  fc.assert(
    fc.property(fc.constantFrom(null, true, [], {}, [1], Infinity, MAX + 1, -MAX - 1, 1e300), (id) => {
      assert.equal(idOf(classify(request("tools/list", {}, id), NONE)), null);
    }),
  );
});

const headerValue = fc.option(
  fc.oneof(fc.string(), fc.constantFrom(MODERN, "2025-03-26", "tools/call", "=?base64??=", "v999")),
  {
    nil: null,
  },
);
const soup = fc.record({ version: headerValue, method: headerValue, name: headerValue });
const metas = fc.dictionary(fc.constantFrom(VERSION, CAPABILITIES, "progressToken"), fc.jsonValue());
const nearMiss = fc.record(
  {
    jsonrpc: fc.oneof(fc.constant("2.0"), fc.jsonValue()),
    id: fc.jsonValue(),
    method: fc.oneof(
      fc.constantFrom("tools/call", "tools/list", "initialize", "notifications/x", "resources/read"),
      fc.string(),
    ),
    params: fc.oneof(
      fc.record({ name: fc.jsonValue(), uri: fc.jsonValue(), _meta: fc.oneof(metas, fc.jsonValue()) }),
      fc.jsonValue(),
    ),
    result: fc.jsonValue(),
  },
  { requiredKeys: [] },
);

test("EP-18: any JSON value under any headers is classified, and refused only as specified", () => {
  const refusals = new Set(["400 -32600", "400 -32602", "400 -32020", "400 -32022", "200 -32601", "404 -32601"]);
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), nearMiss), fc.option(soup, { nil: undefined }), (message, headers) => {
      const classified = classify(message, headers);
      if (classified.kind === "refused") assert.ok(refusals.has(outcome(classified)), outcome(classified));
      // What acts was complete: nothing is executed out of a message that JSON-RPC would not call a request.
      if (classified.kind === "request" && /^(tools\/call|resources\/read)$/.test(classified.method)) {
        assert.equal((message as { jsonrpc?: unknown }).jsonrpc, "2.0");
        assert.notEqual(classified.id, null);
      }
    }),
    { numRuns: 2000 },
  );
});

test("EP-18: an Mcp-Name of 100,000 characters that nearly is base64 is refused without stalling", () => {
  const name = `=?base64?${"=".repeat(100_000)}x`;
  const started = process.cpuUsage();
  assert.equal(outcome(classify(modern("tools/call", { name: "x" }), headersOf("tools/call", name))), "400 -32020");
  // Matching in quadratic time took 15 s; any linear way takes a thousandth of that.
  assert.ok(process.cpuUsage(started).user < 3_000_000);
});
