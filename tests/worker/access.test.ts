import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type AccessSimulator, FORGERY_NAMES, startAccess } from "../../fixtures/access/server.ts";
import { Browser } from "../../fixtures/browser.ts";
import { ADA, BORIS } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { approveAs, registerClient, signInWith } from "../support/access.ts";
import { handshake, Socket } from "../support/mcp.ts";
import { eventsOf } from "../support/oauth-assert.ts";

const TEAM = "contoso.cloudflareaccess.com";
const PASS = { email: ADA.email, sub: "access-ada" };
const HEADER = "cf-access-jwt-assertion";

let access: AccessSimulator;
let all: Stack;
let browserOnly: Stack;

before(async () => {
  access = await startAccess();
  const bindings = {
    CF_ACCESS_TEAM_DOMAIN: TEAM,
    CF_ACCESS_AUD: access.audience,
    CF_ACCESS_SERVICE_TOKENS: "robot.access",
  };
  const hosts = { [`https://${TEAM}`]: access.origin };
  all = await startStack({ bindings, hosts });
  browserOnly = await startStack({ bindings: { ...bindings, CF_ACCESS_PROTECT: "browser" }, hosts });
});

after(async () => {
  await all?.dispose();
  await browserOnly?.dispose();
  await access?.close();
});

function get(stack: Stack, path: string, assertion?: string, headers: Record<string, string> = {}): Promise<Response> {
  const own = assertion === undefined ? headers : { ...headers, [HEADER]: assertion };
  return fetch(stack.url + path, { headers: own, redirect: "manual" });
}

function rpc(stack: Stack, message: object, assertion?: string, token?: string): Promise<Response> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (assertion !== undefined) headers[HEADER] = assertion;
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  return fetch(`${stack.url}/mcp`, { method: "POST", headers, body: JSON.stringify(message) });
}

const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list" };
const CALL = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "getEmails", arguments: { count: 1 } } };

for (const forgery of FORGERY_NAMES) {
  test(`AC-01: an assertion that is forged (${forgery}) is 403`, async () => {
    const answer = await get(all, "/info", await access.forgedAssertion(forgery, PASS));
    assert.equal(answer.status, 403);
    const body = (await answer.json()) as { error: string; requestId: string };
    assert.equal(body.error, "access_denied");
    assert.equal(body.requestId, answer.headers.get("x-request-id"));
  });
}

test("AC-01: a person sees a page, and it asks for nothing more", async () => {
  for (const path of ["/authorize", "/"]) {
    const answer = await get(all, path, undefined, { accept: "text/html" });
    assert.equal(answer.status, 403);
    assert.match(answer.headers.get("content-type") ?? "", /text\/html/, path);
  }
  const answer = await get(all, "/", undefined, { accept: "*/*" });
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [403, "application/json"]);
});

test("AC-02: a header that merely names somebody proves nothing", async () => {
  const headers = { "cf-access-authenticated-user-email": ADA.email };
  assert.equal((await get(all, "/info", undefined, headers)).status, 403);
});

test("AC-04: a service token that is not listed is 403, a listed one passes", async () => {
  assert.equal((await get(all, "/info", await access.serviceAssertion({ commonName: "other.access" }))).status, 403);
  assert.equal((await get(all, "/info", await access.serviceAssertion({ commonName: "robot.access" }))).status, 200);
});

const REQUIRED = ["/", "/info", "/sse", "/mcp", "/authorize", "/callback"];
const OPTIONAL = ["/health", "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp"];

for (const path of REQUIRED) {
  test(`AC-05: ${path} is 403 without an assertion`, async () => {
    const refused = await get(all, path);
    // CS-03: also where the document itself may be kept.
    assert.deepEqual([refused.status, refused.headers.get("cache-control")], [403, "no-store"]);
  });
}

for (const path of OPTIONAL) {
  test(`AC-05: ${path} answers without an assertion, and refuses a bad one`, async () => {
    assert.equal((await get(all, path)).status, 200);
    assert.equal((await get(all, path, await access.forgedAssertion("expired", PASS))).status, 403);
  });
}

test("AC-05: with CF_ACCESS_PROTECT=browser an assistant needs none, a browser does", async () => {
  assert.equal((await rpc(browserOnly, LIST)).status, 200);
  for (const path of ["/", "/info", "/authorize", "/callback"]) {
    assert.equal((await get(browserOnly, path)).status, 403, path);
  }
});

test("AC-05: /token and /register need none", async () => {
  assert.match((await registerClient(all)).clientId, /^[0-9a-f]{32}$/);
  const answer = await fetch(`${all.url}/token`, { method: "POST", body: new URLSearchParams({ grant_type: "x" }) });
  assert.equal(answer.status, 400);
});

test("AC-07: another identity with the grant's token is 403, the same one is served, nobody is 403", async () => {
  const mine = await access.assertion(PASS);
  const token = await signInWith(all, { [HEADER]: mine });
  assert.equal((await rpc(all, CALL, mine, token)).status, 200);
  assert.equal((await rpc(all, CALL, undefined, token)).status, 403);
  const other = await rpc(all, CALL, await access.assertion({ email: BORIS.email, sub: "access-boris" }), token);
  assert.equal(other.status, 403);
  const body = (await other.json()) as { error: { code: number; data: { type: string } } };
  assert.deepEqual([body.error.code, body.error.data.type], [-32001, "access_denied"]);
});

test("AC-07: a good token in somebody else's hands is a line that names both", async () => {
  const token = await signInWith(all, { [HEADER]: await access.assertion(PASS) });
  const theirs = await access.assertion({ email: BORIS.email, sub: "access-thief" });
  await all.settleLogs();
  all.logs.length = 0;
  const call = await rpc(all, CALL, theirs, token);
  await get(all, "/sse", theirs, { authorization: `Bearer ${token}`, accept: "text/event-stream" });
  await all.settleLogs();
  // Beside ours there may be lines of workerd itself.
  const ours = all.logs.filter((line) => line.startsWith("{"));
  const lines = ours.map((line) => JSON.parse(line) as Record<string, unknown>);
  const metadata = { accessIdentity: `https://${TEAM}|access-thief` };
  const code = "access_identity_mismatch";
  assert.deepEqual(
    lines.map(({ level, code, userId, metadata }) => ({ level, code, userId, metadata })),
    Array(2).fill({ level: "WARN", code, userId: ADA.oid, metadata }),
  );
  assert.equal(lines[0]?.requestId, call.headers.get("x-request-id"));
});

test("AC-07: another identity gets 403 on a stream, not a sign-in in the other's name", async () => {
  const token = await signInWith(all, { [HEADER]: await access.assertion(PASS) });
  const theirs = await access.assertion({ email: BORIS.email, sub: "access-boris" });
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const answer = await get(all, "/sse", theirs, headers);
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("www-authenticate"), null);
});

test("AC-07: another identity that posts to a person's open stream is 403, the person is not", async () => {
  const mine = await access.assertion(PASS);
  const theirs = await access.assertion({ email: BORIS.email, sub: "access-boris" });
  const token = await signInWith(all, { [HEADER]: mine });
  const headers = { authorization: `Bearer ${token}`, accept: "text/event-stream" };
  const stream = await get(all, "/sse", mine, headers);
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  const [, endpoint = ""] = /data: (\S+)/.exec((await reader?.read())?.value ?? "") ?? [];
  assert.match(endpoint, /^\/sse\/message\?sessionId=/);
  const post = async (assertion: string) => {
    const own = { ...headers, [HEADER]: assertion, "content-type": "application/json" };
    const answer = await fetch(all.url + endpoint, { method: "POST", headers: own, body: JSON.stringify(LIST) });
    await answer.body?.cancel();
    return [answer.status, answer.headers.get("www-authenticate")];
  };
  assert.deepEqual(await post(theirs), [403, null]);
  assert.deepEqual(await post(mine), [202, null]);
  await reader?.cancel();
});

test("AC-07: another identity that asks for a socket is 403, the person gets one", async () => {
  const mine = await access.assertion(PASS);
  const theirs = await access.assertion({ email: BORIS.email, sub: "access-boris" });
  const token = await signInWith(all, { [HEADER]: mine });
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const headers = { ...upgrade, "sec-websocket-key": "test", authorization: `Bearer ${token}` };
  for (const path of ["/mcp", "/sse"]) {
    const refused = await handshake(all.url + path, { ...headers, [HEADER]: theirs });
    assert.deepEqual([refused.status, refused.headers.get("www-authenticate")], [403, null], path);
    const socket = await Socket.open(all.url + path, token, { [HEADER]: mine });
    assert.ok("result" in (await socket.ask("tools/call", CALL.params)));
    socket.ws.close();
    await socket.closed;
  }
});

test("AC-04: a listed service token may use a person's grant, and both are in the audit line", async () => {
  const token = await signInWith(all, { [HEADER]: await access.assertion(PASS) });
  const answer = await rpc(all, CALL, await access.serviceAssertion({ commonName: "robot.access" }), token);
  assert.equal(answer.status, 200);
  const audit = (await eventsOf(all, "tool: getEmails")).at(-1);
  assert.equal(audit?.userId, ADA.oid);
  assert.match(JSON.stringify(audit?.metadata), /service:robot\.access/);
});

test("AC-07: a callback by another identity than the approval's is 403 and makes no grant", async () => {
  const client = await registerClient(all);
  const mine = { [HEADER]: await access.assertion(PASS) };
  const theirs = { [HEADER]: await access.assertion({ email: BORIS.email, sub: "access-boris" }) };
  const browser = new Browser();
  const { callback } = await approveAs(all, browser, client, mine);
  const answer = await browser.open(callback, theirs);
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("location"), null);
});

test("AC-07: a grant made before Access was on is 401 once it is required, with a service token as well", async () => {
  const stack = await startStack({ hosts: { [`https://${TEAM}`]: access.origin } });
  try {
    const token = await signInWith(stack, {});
    assert.equal((await rpc(stack, CALL, undefined, token)).status, 200);
    const robots = { CF_ACCESS_SERVICE_TOKENS: "robot.access" };
    await stack.restart({ CF_ACCESS_TEAM_DOMAIN: TEAM, CF_ACCESS_AUD: access.audience, ...robots });
    assert.equal((await rpc(stack, CALL, await access.assertion(PASS), token)).status, 401);
    const robot = await access.serviceAssertion({ commonName: "robot.access" });
    assert.equal((await rpc(stack, CALL, robot, token)).status, 401);
  } finally {
    await stack.dispose();
  }
});

test("GW-03: the gateway is told the Access address of the person", async () => {
  const email = "ada.access@contoso.example";
  const assertion = await access.assertion({ email, sub: "access-ada-2" });
  const token = await signInWith(all, { [HEADER]: assertion });
  assert.equal((await rpc(all, CALL, assertion, token)).status, 200);
  assert.equal(all.gateway.log.at(-1)?.metadata.userEmail, email);
});

test("AC-01: keys are fetched again after a rotation", async () => {
  const one = await startStack({
    bindings: { CF_ACCESS_TEAM_DOMAIN: TEAM, CF_ACCESS_AUD: access.audience },
    hosts: { [`https://${TEAM}`]: access.origin },
  });
  try {
    await access.rotate();
    assert.equal((await get(one, "/info", await access.assertion(PASS))).status, 200);
  } finally {
    await one.dispose();
  }
});
