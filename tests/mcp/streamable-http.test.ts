import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller, CallOutcome, McpDeps } from "../../src/mcp/call.ts";
import { answerPost, MAX_MESSAGE_BYTES } from "../../src/mcp/streamable-http.ts";
import { ANONYMOUS, depsFor, INVALID, REVOKED, SIGNED_IN } from "./fixture-deps.ts";

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function post(
  body: string | Uint8Array<ArrayBuffer>,
  caller: Caller | McpDeps,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const request = new Request("https://mcp.example.com/mcp", { method: "POST", body, headers });
  const answered = await answerPost(request, "kind" in caller ? depsFor(caller) : caller);
  return { status: answered.status, text: await answered.text(), headers: answered.headers };
}

function message(method: string, id: unknown = 1, params: object = {}): Record<string, unknown> {
  return { jsonrpc: "2.0", id, method, params };
}

const call = (id: unknown, name = "echo") => message("tools/call", id, { name, arguments: { id } });
const note = { jsonrpc: "2.0", method: "notifications/initialized" };
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};
const modern = { ...message("tools/list", 1, { _meta: META }) };

function codeOf({ text }: Answered): number {
  return (JSON.parse(text) as { error: { code: number } }).error.code;
}

const BATCHES_REFUSED: readonly (readonly [title: string, batch: unknown[], headers: Record<string, string>])[] = [
  ["empty", [], {}],
  ["of 51", Array.from({ length: 51 }, (_, id) => message("ping", id)), {}],
  ["with initialize", [message("ping"), message("initialize", 2)], {}],
  ["with a modern envelope", [message("ping"), modern], {}],
  ["with a modern notification", [{ ...note, params: { _meta: META } }], {}],
  ["under 2025-06-18", [message("ping")], { "MCP-Protocol-Version": "2025-06-18" }],
  ["under 2025-11-25", [message("ping")], { "MCP-Protocol-Version": "2025-11-25" }],
  ["under 2024-11-05", [message("ping")], { "MCP-Protocol-Version": "2024-11-05" }],
  ["under 2026-07-28", [message("ping")], { "MCP-Protocol-Version": "2026-07-28" }],
];

for (const [title, batch, headers] of BATCHES_REFUSED) {
  test(`EP-11: a batch ${title} is 400 -32600 and nothing in it runs`, async () => {
    const calls: unknown[] = [];
    const caller: Caller = {
      kind: "signed-in",
      call: async (made) => {
        calls.push(made);
        return { kind: "unauthorized" };
      },
    };
    const answered = await post(JSON.stringify([...batch, ...(batch.length > 0 ? [call(9)] : [])]), caller, headers);
    assert.deepEqual([answered.status, codeOf(answered)], [400, -32600]);
    assert.deepEqual(calls, []);
  });
}

for (const [title, caller] of [
  ["without a token", ANONYMOUS],
  ["with an invalid token", INVALID],
  ["with a revoked token", REVOKED],
] as const) {
  test(`EP-11: one protected entry ${title} makes the whole answer a 401`, async () => {
    const answered = await post(JSON.stringify([message("ping", "a"), call("b"), note]), caller);
    assert.equal(answered.status, 401);
    assert.equal(codeOf(answered), -32001);
    assert.match(answered.headers.get("www-authenticate") ?? "", /sign_in/);
  });
}

const QUOTA = { limit: 300, remaining: 0, resetSeconds: 60 };
const HIDDEN: readonly (readonly [title: string, outcome: CallOutcome, status: number, header: string])[] = [
  [
    "a scope is missing",
    { kind: "insufficient_scope", missing: ["Mail.Send"], scopes: ["Mail.Send"] },
    403,
    "www-authenticate",
  ],
  ["somebody else signed in", { kind: "identity_mismatch" }, 403, "content-type"],
  ["the quota is spent", { kind: "rate_limited", quota: QUOTA }, 429, "retry-after"],
];

for (const [title, outcome, status, header] of HIDDEN) {
  test(`RFC 6750 §3.1, ER-01: a batch in which ${title} is ${status} as a whole, by which alone a client learns`, async () => {
    const caller: Caller = { kind: "signed-in", call: async () => outcome };
    const answered = await post(JSON.stringify([message("ping", "a"), call("b")]), caller);
    assert.equal(answered.status, status);
    assert.equal((JSON.parse(answered.text) as { id: unknown }).id, "b");
    assert.ok(answered.headers.has(header));
  });

  test(`EP-11: a batch in which ${title} after a call was done is 200 and says both`, async () => {
    const outcomes: CallOutcome[] = [{ kind: "done", result: {}, quota: QUOTA }, outcome];
    const caller: Caller = { kind: "signed-in", call: async () => outcomes.shift() ?? outcome };
    const answered = await post(JSON.stringify([call("a"), call("b")]), caller);
    assert.equal(answered.status, 200);
    const replies = JSON.parse(answered.text) as object[];
    assert.deepEqual(
      replies.map((reply) => "error" in reply),
      [false, true],
    );
  });
}

test("RL-01: a batch in which a call was done has the RateLimit fields of the last one", async () => {
  const quotas = [7, 6].map((remaining) => ({ ...QUOTA, remaining }));
  const caller: Caller = {
    kind: "signed-in",
    call: async () => ({ kind: "done", result: {}, quota: quotas.shift() ?? QUOTA }),
  };
  const answered = await post(JSON.stringify([call("a"), call("b"), message("ping", "c")]), caller);
  assert.equal(answered.headers.get("RateLimit"), '"grant";r=6;t=60');
  assert.equal(answered.headers.get("RateLimit-Policy"), '"grant";q=300;w=60');
  const listed = await post(JSON.stringify([message("ping", "c")]), SIGNED_IN);
  assert.equal(listed.headers.get("RateLimit"), null);
});

test("EP-11: a batch is answered in its order, each entry with its own error and without its notifications", async () => {
  const entries = [
    message("ping", "a"),
    note,
    call(0),
    message("no/such", ""),
    5,
    { jsonrpc: "2.0", id: 3, result: {} },
  ];
  for (const headers of [{}, { "MCP-Protocol-Version": "2025-03-26" }]) {
    const answered = await post(JSON.stringify(entries), SIGNED_IN, headers);
    assert.equal(answered.status, 200);
    const replies = JSON.parse(answered.text) as { id: unknown; error?: { code: number } }[];
    assert.deepEqual(
      replies.map(({ id, error }) => [id, error?.code]),
      [
        ["a", undefined],
        [0, undefined],
        ["", -32601],
        [null, -32600],
      ],
    );
  }
});

test("EP-11: fifty entries are a batch", async () => {
  const batch = Array.from({ length: 50 }, (_, id) => message("ping", id));
  const answered = await post(JSON.stringify(batch), ANONYMOUS);
  assert.deepEqual([answered.status, (JSON.parse(answered.text) as unknown[]).length], [200, 50]);
});

test("EP-11: notifications and responses alone are 202 and empty", async () => {
  const answered = await post(JSON.stringify([note, { jsonrpc: "2.0", id: 1, result: {} }]), ANONYMOUS);
  assert.deepEqual([answered.status, answered.text], [202, ""]);
});

test("EP-09: notifications and responses are 202 and empty", async () => {
  for (const body of [note, { method: "initialized" }, { jsonrpc: "2.0", id: 1, result: {} }, { id: 1, error: {} }]) {
    const answered = await post(JSON.stringify(body), ANONYMOUS);
    assert.deepEqual([answered.status, answered.text], [202, ""]);
  }
});

test("EP-11: an unknown revision in the header is 400 -32600 for notifications and responses too", async () => {
  for (const body of [note, { method: "initialized" }, { jsonrpc: "2.0", id: 1, result: {} }]) {
    const answered = await post(JSON.stringify(body), ANONYMOUS, { "MCP-Protocol-Version": "banana" });
    assert.deepEqual([answered.status, codeOf(answered)], [400, -32600]);
  }
});

test("AU-02: an invalid token is 401 on every method, notifications included", async () => {
  for (const body of [message("tools/list"), message("initialize"), message("ping"), call(1), note, modern]) {
    const headers = body === modern ? { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list" } : {};
    assert.equal((await post(JSON.stringify(body), INVALID, headers as Record<string, string>)).status, 401);
  }
});

test("EP-18: transport, parse, header, method and existence errors come before an invalid token", async () => {
  const rows: readonly (readonly [body: string, headers: Record<string, string>, status: number, code: number])[] = [
    ["{", {}, 400, -32700],
    ["[]", {}, 400, -32600],
    [JSON.stringify(message("tools/list")), { "MCP-Protocol-Version": "2026-07-28" }, 400, -32602],
    [JSON.stringify(modern), {}, 400, -32020],
    [JSON.stringify(message("no/such")), {}, 200, -32601],
    [JSON.stringify(call(1, "nope")), {}, 200, -32602],
  ];
  for (const caller of [INVALID, ANONYMOUS, REVOKED]) {
    for (const [body, headers, status, code] of rows) {
      const answered = await post(body, caller, headers);
      assert.deepEqual([answered.status, codeOf(answered)], [status, code], body);
    }
  }
});

test("AU-05: with REQUIRE_AUTH_ON_INITIALIZE every discovery method without a token is 401, and with one is not", async () => {
  for (const method of ["initialize", "ping", "tools/list", "resources/list", "prompts/list", "prompts/get"]) {
    const body = JSON.stringify(message(method));
    assert.equal((await post(body, depsFor(ANONYMOUS, { requireAuthOnInitialize: true }))).status, 401, method);
    assert.equal((await post(body, depsFor(SIGNED_IN, { requireAuthOnInitialize: true }))).status, 200, method);
  }
  const noted = await post(JSON.stringify(note), depsFor(ANONYMOUS, { requireAuthOnInitialize: true }));
  assert.equal(noted.status, 401);
});

test("CF-01: without configuration protected calls are 503 and name it; discovery answers", async () => {
  const misconfigured = ["MICROSOFT_CLIENT_SECRET"];
  const refused = await post(JSON.stringify(call(1)), depsFor(ANONYMOUS, { misconfigured }));
  assert.equal(refused.status, 503);
  assert.deepEqual((JSON.parse(refused.text) as { keys: unknown }).keys, misconfigured);
  assert.equal((await post(JSON.stringify(message("tools/list")), depsFor(ANONYMOUS, { misconfigured }))).status, 200);
});

test("ER-01: a fault is 500 -32603 with the request's id and nothing of what happened", async () => {
  const deps = depsFor(SIGNED_IN);
  const answered = await post(JSON.stringify(call("x", "broken")), deps);
  assert.deepEqual([answered.status, codeOf(answered)], [500, -32603]);
  assert.equal((JSON.parse(answered.text) as { id: unknown }).id, "x");
  assert.doesNotMatch(answered.text, /secret/);
  assert.equal(deps.faults.length, 1);
});

test("EP-16: a body over 4 MiB is 413 and names both limits; one of exactly that size is read", async () => {
  const answered = await post("x".repeat(MAX_MESSAGE_BYTES + 1), ANONYMOUS);
  assert.equal(answered.status, 413);
  assert.match(answered.text, /4194304.*3 MB/);
  const padded = JSON.stringify(message("ping")).padEnd(MAX_MESSAGE_BYTES, " ");
  assert.equal((await post(padded, ANONYMOUS)).status, 200);
});

function nested(levels: number, inner = ""): string {
  return `${"[".repeat(levels)}${inner}${"]".repeat(levels)}`;
}

test("EP-16: 64 levels of JSON are read, 65 are -32600, a million too", async () => {
  const withParams = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${params}}}`;
  for (const inner of ["", "1", "{}"]) {
    const room = inner === "{}" ? 61 : 62;
    assert.equal((await post(withParams(nested(room, inner)), ANONYMOUS)).status, 200, `${room} ${inner}`);
    const over = await post(withParams(nested(room + 1, inner)), ANONYMOUS);
    assert.deepEqual([over.status, codeOf(over)], [400, -32600]);
  }
  assert.equal((await post(nested(1_000_000), ANONYMOUS)).status, 400);
});

test("EP-16: 100,001 flat objects are refused for their number, not for a depth that they have not", async () => {
  const params = (count: number) => `{"a":[${Array(count).fill("{}").join()}]}`;
  const ping = (count: number) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${params(count)}}`;
  // The message, its params and the list are containers too.
  assert.equal((await post(ping(99_997), ANONYMOUS)).status, 200);
  const refused = await post(ping(99_998), ANONYMOUS);
  assert.deepEqual([refused.status, codeOf(refused)], [400, -32600]);
  assert.match(refused.text, /over 100000 objects and lists/);
});

test("ER-01: what is not JSON in UTF-8 is 400 -32700", async () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  for (const body of [
    "",
    "{",
    "tools/list",
    "{'a':1}",
    "NaN",
    bytes(0xff),
    bytes(0x22, 0xc3, 0x28, 0x22),
    bytes(0xef, 0xbb),
  ]) {
    const answered = await post(body, ANONYMOUS);
    assert.deepEqual([answered.status, codeOf(answered)], [400, -32700], String(body));
  }
});

test("EP-19: an integer past those that doubles tell apart may not come back as it was, so it is no id", async () => {
  for (const id of ["9007199254740993", "-9007199254740993", "9007199254740992", "1e300"]) {
    const answered = await post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`, ANONYMOUS);
    assert.deepEqual([answered.status, codeOf(answered)], [400, -32600], id);
    assert.equal((JSON.parse(answered.text) as { id: unknown }).id, null);
  }
  const answered = await post('{"jsonrpc":"2.0","id":9007199254740991,"method":"ping"}', ANONYMOUS);
  assert.equal(answered.text, '{"jsonrpc":"2.0","id":9007199254740991,"result":{}}');
});

test("EP-19: of a doubled member the last one counts", async () => {
  const answered = await post('{"jsonrpc":"2.0","id":1,"id":"2","method":"no/such","method":"ping"}', ANONYMOUS);
  assert.equal(answered.text, '{"jsonrpc":"2.0","id":"2","result":{}}');
});

test("EP-01: only a client that accepts nothing but a stream gets one, and only for an answer", async () => {
  const body = JSON.stringify(message("ping"));
  for (const accept of ["application/json", "*/*", "text/event-stream, application/json", "text/html", ""]) {
    const answered = await post(body, ANONYMOUS, { accept });
    assert.equal(answered.headers.get("content-type"), "application/json", accept);
    assert.equal(answered.headers.get("x-accel-buffering"), null);
  }
  const streamed = await post(body, ANONYMOUS, { accept: "text/event-stream; q=1" });
  assert.equal(streamed.headers.get("content-type"), "text/event-stream");
  // RFC 9110 §5.3: a field that is sent twice is one list.
  const twice = await post(body, ANONYMOUS, { accept: "text/event-stream, text/event-stream" });
  assert.equal(twice.headers.get("content-type"), "text/event-stream");
  // MCP 2026-07-28 streamable-http: proxies must not hold an event back.
  assert.equal(streamed.headers.get("x-accel-buffering"), "no");
  assert.equal(streamed.text, 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  assert.equal(
    (await post("{", ANONYMOUS, { accept: "text/event-stream" })).headers.get("content-type"),
    "application/json",
  );
});

const LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list"];

test("EP-10: a cursor is -32602, since every list is one page", async () => {
  for (const method of LISTS) {
    for (const cursor of ["x", "", 0, false]) {
      const answered = await post(JSON.stringify(message(method, 1, { cursor })), ANONYMOUS);
      assert.deepEqual([answered.status, codeOf(answered)], [200, -32602]);
    }
  }
});

test("EP-10: a cursor of null, as serialisers write what is absent, is no cursor", async () => {
  for (const method of LISTS) {
    const answered = await post(JSON.stringify(message(method, 1, { cursor: null })), ANONYMOUS);
    assert.ok("result" in (JSON.parse(answered.text) as object), method);
  }
});

test("EP-17: server/discover is no list, so a cursor means nothing to it", async () => {
  for (const cursor of [null, "x"]) {
    const body = JSON.stringify(message("server/discover", 1, { _meta: META, cursor }));
    const headers = { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover" };
    assert.ok("result" in (JSON.parse((await post(body, ANONYMOUS, headers)).text) as object));
  }
});
