import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { bearer, EventStream } from "../support/mcp.ts";
import {
  type Reply,
  readReply,
  redeem,
  refresh,
  registerClient,
  revoke,
  type Session,
  signInWith,
  type TestClient,
  tokensOf,
} from "../support/oauth-client.ts";

let stack: Stack;
let client: TestClient;
before(async () => {
  stack = await startStack();
  client = await registerClient(stack);
});
after(() => stack.dispose());

const signIn = (): Promise<Session> => signInWith(stack, client);

async function post(
  endpoint: string,
  message: object,
  token?: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  const sent = { ...headers, ...bearer(token) };
  return readReply(await fetch(`${stack.url}${endpoint}`, { method: "POST", body, headers: sent }));
}

async function open(token: string): Promise<{ stream: EventStream; endpoint: string }> {
  const stream = await EventStream.open(`${stack.url}/sse`, token);
  assert.equal(stream.status, 200);
  return { stream, endpoint: await stream.event("endpoint") };
}

const PING = { id: 1, method: "ping" };
const CALL = { id: "call", method: "tools/call", params: { name: "getEmails", arguments: { count: 1 } } };

test("EP-03: without a token there is no stream, with a revoked one neither", async () => {
  assert.equal((await EventStream.open(`${stack.url}/sse`)).status, 401);
  const session = await signIn();
  await revoke(stack, client, session.accessToken);
  assert.equal((await EventStream.open(`${stack.url}/sse`, session.accessToken)).status, 401);
});

test("EP-03: the stream opens with a comment, then names where to post, unguessably", async () => {
  const { accessToken } = await signIn();
  const stream = await EventStream.open(`${stack.url}/sse`, accessToken);
  assert.equal(stream.headers.get("content-type"), "text/event-stream");
  assert.equal(stream.headers.get("cache-control"), "no-store");
  assert.equal(stream.headers.get("x-accel-buffering"), "no");
  assert.equal(await stream.block(), ":");
  const first = await stream.event("endpoint");
  assert.match(first, /^\/sse\/message\?sessionId=[A-Za-z0-9_-]{43}$/);
  const other = await open(accessToken);
  assert.notEqual(other.endpoint, first);
  stream.close();
  other.stream.close();
});

test("EP-03: an unknown method is refused on the stream, where the client waits for it, and without a token by 401", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  const unknown = { id: "x", method: "no/such" };
  const anonymous = await post(endpoint, unknown);
  assert.deepEqual([anonymous.status, anonymous.body.id], [401, "x"]);
  const posted = await post(endpoint, unknown, accessToken);
  assert.deepEqual([posted.status, posted.text], [202, ""]);
  const { id, error } = (await stream.message()) as { id: string; error: { code: number } };
  assert.deepEqual([id, error.code], ["x", -32601]);
  stream.close();
});

const envelope = (version: unknown) => ({
  _meta: { "io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {} },
});

test("EP-17: a modern message on a stream needs no header of Streamable HTTP, and none that it has is compared", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  const list = { id: 1, method: "tools/list", params: envelope("2026-07-28") };
  const call = { ...CALL, params: { ...CALL.params, ...envelope("2026-07-28") } };
  for (const headers of [{}, { "MCP-Protocol-Version": "2025-11-25", "Mcp-Method": "no/such", "Mcp-Name": "nope" }]) {
    for (const message of [list, call]) {
      const posted = await post(endpoint, message, accessToken, headers as Record<string, string>);
      assert.deepEqual([posted.status, posted.text], [202, ""]);
      const { id, result } = await stream.message();
      assert.deepEqual([id, (result as { resultType: string }).resultType], [message.id, "complete"]);
    }
  }
  stream.close();
});

test("EP-03: a refusal with an id comes on the stream whatever its status elsewhere, one without an id by HTTP", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  for (const [message, code] of [
    [{ method: "tools/list", params: envelope("v999") }, -32022],
    [{ method: "tools/list", params: envelope(5) }, -32602],
    [{ method: "no/such", params: envelope("2026-07-28") }, -32601],
    [{ method: "tools/list", params: [] }, -32600],
    [{ method: "tools/list", jsonrpc: "1.0" }, -32600],
  ] as const) {
    const posted = await post(endpoint, { id: "r", ...message }, accessToken);
    assert.deepEqual([posted.status, posted.text], [202, ""], String(code));
    const { id, error } = (await stream.message()) as { id: string; error: { code: number } };
    assert.deepEqual([id, error.code], ["r", code]);
    assert.equal((await post(endpoint, { id: null, ...message }, accessToken)).status, 400);
  }
  stream.close();
});

test("EP-03: a refusal is for the stream's grant alone: without a token 401, with a revoked one 401, elsewhere 404", async () => {
  const session = await signIn();
  const renewed = tokensOf(await refresh(stack, client, session.refreshToken));
  await revoke(stack, client, session.accessToken);
  const other = await signInWith(stack, await registerClient(stack));
  const { stream, endpoint } = await open(renewed.accessToken);
  for (const message of [
    { id: "x", method: "tools/list", params: [] },
    { id: "x", method: "no/such" },
  ]) {
    for (const [token, status] of [
      [undefined, 401],
      [session.accessToken, 401],
      [other.accessToken, 404],
    ] as const) {
      const refused = await post(endpoint, message, token);
      assert.deepEqual([refused.status, refused.body.id], [status, "x"]);
    }
  }
  // The first that arrives on the stream is the owner's own.
  await post(endpoint, PING, renewed.accessToken);
  assert.equal((await stream.message()).id, 1);
  stream.close();
});

test("EP-11: an unknown revision in the header of a legacy message is 400 on a stream too, a known one is not", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  const notification = { method: "notifications/initialized" };
  for (const message of [PING, notification]) {
    const refused = await post(endpoint, message, accessToken, { "MCP-Protocol-Version": "banana" });
    assert.deepEqual([refused.status, refused.body.id], [400, message === PING ? 1 : null]);
  }
  for (const version of ["2024-11-05", "2025-11-25", "2026-07-28"]) {
    const headers = { "MCP-Protocol-Version": version };
    assert.equal((await post(endpoint, PING, accessToken, headers)).status, 202);
    assert.equal((await stream.message()).id, 1);
    assert.equal((await post(endpoint, notification, accessToken, headers)).status, 202);
  }
  stream.close();
});

test("EP-03: /mcp never opens one", async () => {
  const { accessToken } = await signIn();
  assert.equal((await EventStream.open(`${stack.url}/mcp`, accessToken)).status, 405);
});

test("EP-03: a post is 202 and empty, its answer comes on the stream; both message paths", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  for (const path of [endpoint, endpoint.replace("/sse/message", "/sse")]) {
    const posted = await post(path, { ...CALL, id: path }, accessToken);
    assert.deepEqual([posted.status, posted.text], [202, ""]);
    const answered = await stream.message();
    assert.equal(answered.id, path);
    assert.ok("result" in answered);
  }
  const noted = await post(endpoint, { method: "notifications/initialized" }, accessToken);
  assert.deepEqual([noted.status, noted.text], [202, ""]);
  await post(endpoint, { id: 0, method: "tools/call", params: { name: "nope" } }, accessToken);
  const refused = await stream.message();
  assert.deepEqual([refused.id, (refused.error as { code: number }).code], [0, -32602]);
  stream.close();
});

test("EP-03: an empty session id is no stream's, and needs a token like any other", async () => {
  const { accessToken } = await signIn();
  for (const path of ["/sse?sessionId=", "/sse/message?sessionId=", "/sse/message"]) {
    assert.equal((await post(path, PING)).status, 401);
    assert.equal((await post(path, PING, accessToken)).status, 404);
  }
});

test("EP-03: the session id alone is worth nothing", async () => {
  const session = await signIn();
  const { stream, endpoint } = await open(session.accessToken);
  for (const token of [undefined, "test-token", session.refreshToken, `m365a.${"A".repeat(22)}.${"A".repeat(59)}`]) {
    const refused = await post(endpoint, PING, token);
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get("www-authenticate") ?? "", /oauth-protected-resource\/sse"/);
  }
  stream.close();
});

test("DO-03: another grant's token on a stream is 404, of the same person too, and nothing runs", async () => {
  const owner = await signIn();
  const others = [
    await signInWith(stack, await registerClient(stack)),
    await signInWith(stack, client, { email: "boris.lindqvist@contoso.example" }),
  ];
  const { stream, endpoint } = await open(owner.accessToken);
  const seen = stack.graph.requests.length;
  for (const other of others) {
    const refused = await post(endpoint, CALL, other.accessToken);
    assert.deepEqual([refused.status, refused.body.id], [404, "call"]);
  }
  assert.equal(stack.graph.requests.length, seen);
  // The first that arrives on the stream is the owner's own.
  await post(endpoint, PING, owner.accessToken);
  assert.equal((await stream.message()).id, 1);
  stream.close();
});

test("EP-11: a batch is refused on a stream, and so is what is no message", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  for (const body of ["[]", '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', "{", "5"]) {
    const refused = await fetch(`${stack.url}${endpoint}`, { method: "POST", body, headers: bearer(accessToken) });
    assert.equal(refused.status, 400, body);
    await refused.body?.cancel();
  }
  stream.close();
});

test("EP-03: a refreshed token of the grant posts on a stream that an older one opened", async () => {
  const session = await signIn();
  const { stream, endpoint } = await open(session.accessToken);
  const renewed = tokensOf(await refresh(stack, client, session.refreshToken));
  assert.equal((await post(endpoint, PING, renewed.accessToken)).status, 202);
  assert.equal((await stream.message()).id, 1);
  stream.close();
});

test("AU-02: revoking an access token ends its streams and leaves those of the grant's other tokens", async () => {
  const session = await signIn();
  const renewed = tokensOf(await refresh(stack, client, session.refreshToken));
  const [old, young] = [await open(session.accessToken), await open(renewed.accessToken)];
  await revoke(stack, client, session.accessToken);
  await old.stream.ended();
  assert.equal((await post(old.endpoint, PING, session.accessToken)).status, 401);
  assert.equal((await post(old.endpoint, PING, renewed.accessToken)).status, 404);
  await post(young.endpoint, PING, renewed.accessToken);
  assert.equal((await young.stream.message()).id, 1);
  young.stream.close();
});

test("AU-02: the end of a grant ends its streams: revocation, and a code used twice", async () => {
  const revoked = await signIn();
  const first = await open(revoked.accessToken);
  await revoke(stack, client, revoked.refreshToken);
  await first.stream.ended();
  const replayed = await signIn();
  const second = await open(replayed.accessToken);
  assert.equal((await redeem(stack, client, replayed)).status, 400);
  await second.stream.ended();
  assert.equal((await post(second.endpoint, PING, replayed.accessToken)).status, 401);
});

test("DO-07: a grant has at most 32 open streams, another grant has its own 32", async () => {
  const { accessToken } = await signIn();
  const streams: EventStream[] = [];
  for (let count = 0; count < 32; count += 1) streams.push((await open(accessToken)).stream);
  const refused = await fetch(`${stack.url}/sse`, { headers: { accept: "text/event-stream", ...bearer(accessToken) } });
  assert.equal(refused.status, 429);
  assert.match(refused.headers.get("retry-after") ?? "", /^\d+$/);
  await refused.body?.cancel();
  const { accessToken: elsewhere } = await signInWith(stack, await registerClient(stack));
  (await open(elsewhere)).stream.close();
  for (const stream of streams) stream.close();
});

test("ER-01: a scope that was not granted is 403 on the post, not an event", async () => {
  const session = await signInWith(stack, client, { authorize: { scope: "User.Read" } });
  const { stream, endpoint } = await open(session.accessToken);
  const refused = await post(endpoint, CALL, session.accessToken);
  assert.equal(refused.status, 403);
  assert.match(refused.headers.get("www-authenticate") ?? "", /insufficient_scope/);
  stream.close();
});

test("DO-06: neither tokens nor session ids are logged", async () => {
  const { accessToken } = await signIn();
  const { stream, endpoint } = await open(accessToken);
  await post(endpoint, CALL, accessToken);
  await stream.message();
  stream.close();
  await stack.settleLogs();
  const all = stack.logs.join("\n");
  assert.ok(!all.includes(accessToken));
  assert.ok(!all.includes(endpoint.split("=")[1] ?? "?"));
});
