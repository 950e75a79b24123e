// One person's grants: OA-19, OA-20, ST-03.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { ADA, BORIS } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertOAuthError, assertToolResult, assertUnauthorized, eventually } from "../support/oauth-assert.ts";
import {
  getEmails,
  OTHER_REDIRECT,
  obtainCode,
  type Reply,
  readReply,
  redeem,
  refresh,
  registerClient,
  revoke,
  type Session,
  signInWith,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

const OPERATOR_TOKEN = randomBytes(30).toString("base64url");

let stack: Stack;
before(async () => {
  stack = await startStack({ bindings: { OPERATOR_TOKEN } });
});
after(() => stack.dispose());

interface OperatorRequest {
  readonly body?: unknown;
  readonly authorization?: string | undefined;
  readonly method?: string;
}

const PERSON = { tid: ADA.tid, oid: ADA.oid };

async function operate(
  on: Pick<Stack, "url">,
  { body = PERSON, authorization, method = "POST" }: OperatorRequest,
): Promise<Reply> {
  const answer = await fetch(`${on.url}/operator/revoke`, {
    method,
    ...(method === "POST" && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    headers: { "content-type": "application/json", ...(authorization !== undefined && { authorization }) },
  });
  return readReply(answer);
}

/** What follows a redemption is done when its entry is in the index. */
async function settle(...sessions: readonly Session[]): Promise<void> {
  for (const { code } of sessions) {
    const [, gid = ""] = code.split(".");
    await eventually(async () => assert.ok((await indexOf()).some(({ key }) => key.endsWith(`:${gid}`))));
  }
}

const asOperator = (body: unknown) => operate(stack, { body, authorization: `Bearer ${OPERATOR_TOKEN}` });

async function assertDead(session: Session): Promise<void> {
  assertUnauthorized(await getEmails(stack, session.accessToken));
  assertOAuthError(await refresh(stack, session.client, session.refreshToken), 400, "invalid_grant");
}

const indexOf = async () => (await stack.kv()).filter(({ key }) => key.startsWith("user:"));

function countOf(reply: Reply): number {
  assert.equal(reply.status, 200, reply.text);
  const counts = Object.values(reply.body).filter((value) => typeof value === "number");
  assert.equal(counts.length, 1, reply.text);
  return Number(counts[0]);
}

test("OA-20: every grant of one person ends and is counted, another person's stays", async () => {
  const sessions: Session[] = [];
  for (let count = 0; count < 3; count += 1) sessions.push(await signInWith(stack, await registerClient(stack)));
  const [first] = sessions;
  assert.ok(first !== undefined);
  const other = await signInWith(stack, first.client, { email: BORIS.email });
  await settle(...sessions, other);
  assert.equal(countOf(await asOperator(PERSON)), 3);
  for (const session of sessions) await assertDead(session);
  assertToolResult(await getEmails(stack, other.accessToken));
  assert.equal(countOf(await asOperator(PERSON)), 0);
  const again = await signInWith(stack, first.client);
  assertToolResult(await getEmails(stack, again.accessToken));
  await settle(again);
  assert.equal(countOf(await asOperator({ tid: BORIS.tid, oid: BORIS.oid })), 1);
  assertUnauthorized(await getEmails(stack, other.accessToken));
});

test("OA-20: ids are compared without case, and nobody is nobody", async () => {
  await settle(await signInWith(stack, await registerClient(stack)));
  assert.equal(countOf(await asOperator({ tid: ADA.tid, oid: "00000000-0000-4000-8000-000000000000" })), 0);
  assert.equal(countOf(await asOperator({ tid: BORIS.tid, oid: BORIS.oid })), 0);
  assert.ok(countOf(await asOperator({ tid: ADA.tid.toUpperCase(), oid: ADA.oid.toUpperCase() })) >= 1);
});

test("LG-07: each use of the operator token is a line, also a wrong one and one that ends nothing", async () => {
  const nobody = "00000000-0000-4000-8000-000000000000";
  await stack.settleLogs();
  stack.logs.length = 0;
  const replies = [
    await operate(stack, { authorization: "Bearer x" }),
    await asOperator({ tid: ADA.tid, oid: nobody }),
  ] as const;
  await stack.settleLogs();
  const lines = stack.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
  const requestIds = replies.map(({ headers }) => headers.get("x-request-id"));
  assert.deepEqual(
    lines.map(({ level, message, requestId }) => [level, message, requestId]),
    [
      ["WARN", "OAuth request refused", requestIds[0]],
      ["INFO", "OAuth person revoked", requestIds[1]],
    ],
  );
  assert.deepEqual([lines[0]?.code, lines[0]?.context], ["operator_token_wrong", "/operator/revoke"]);
  assert.deepEqual([lines[1]?.userId, lines[1]?.metadata], [nobody, { ended: 0, failed: 0 }]);
});

test("OA-20: a wrong token, or none, is 401 and ends nothing", async () => {
  const session = await signInWith(stack, await registerClient(stack));
  const wrong = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Bearer x",
    `Bearer ${OPERATOR_TOKEN.slice(0, -1)}`,
    `Bearer ${OPERATOR_TOKEN}x`,
    `Basic ${OPERATOR_TOKEN}`,
    OPERATOR_TOKEN,
    `Bearer ${session.accessToken}`,
    "Bearer undefined",
  ];
  for (const authorization of wrong) {
    const reply = await operate(stack, { authorization });
    assert.equal(reply.status, 401, `${authorization}`);
    assert.equal(reply.headers.get("cache-control"), "no-store");
    assert.ok(!reply.text.includes(OPERATOR_TOKEN));
  }
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("OA-20: the token in the query is not read", async () => {
  const answer = await fetch(`${stack.url}/operator/revoke?token=${OPERATOR_TOKEN}&access_token=${OPERATOR_TOKEN}`, {
    method: "POST",
    body: JSON.stringify(PERSON),
  });
  await answer.body?.cancel();
  assert.equal(answer.status, 401);
});

test("OA-20: a body that names no person is 400, never 500, and ends nothing", async () => {
  const session = await signInWith(stack, await registerClient(stack));
  const bodies = [
    "",
    "{",
    "[]",
    "null",
    "{}",
    { tid: ADA.tid },
    { oid: ADA.oid },
    { tid: ADA.tid, oid: "" },
    { tid: ADA.tid, oid: "*" },
    { tid: ADA.tid, oid: [ADA.oid] },
    { tid: ADA.tid, oid: `${ADA.oid}/` },
    { tid: "contoso.example", oid: ADA.oid },
    "x".repeat(70_000),
  ];
  for (const body of bodies) {
    const { status } = await asOperator(body);
    assert.ok([400, 413].includes(status), `${status} for ${JSON.stringify(body).slice(0, 60)}`);
  }
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("OA-20: without OPERATOR_TOKEN the path does not exist", async (t) => {
  const without = await startStack();
  t.after(() => without.dispose());
  const unknown = await readReply(await fetch(`${without.url}/operator/nothing`, { method: "POST", body: "{}" }));
  assert.equal(unknown.status, 404);
  for (const authorization of [undefined, "Bearer x", "Bearer ", "Bearer undefined"]) {
    const reply = await operate(without, { authorization });
    assert.equal(reply.status, 404);
    assert.equal(reply.body.error, unknown.body.error);
  }
  assert.equal((await operate(without, { method: "GET" })).status, 404);
});

test("OA-20: an operator token under 32 characters is a configuration error that names it", async (t) => {
  const weak = await startStack({ bindings: { OPERATOR_TOKEN: "a".repeat(31) } });
  t.after(() => weak.dispose());
  const reply = await operate(weak, { authorization: `Bearer ${"a".repeat(31)}` });
  assert.equal(reply.status, 503);
  assert.ok(JSON.stringify(reply.body.keys).includes("OPERATOR_TOKEN"));
});

test("OA-20: guessing the token is limited", async (t) => {
  const limited = await startStack({ bindings: { OPERATOR_TOKEN }, rateLimits: true });
  t.after(() => limited.dispose());
  const statuses: number[] = [];
  for (let count = 0; count < 200; count += 1) {
    const answer = await fetch(`${limited.url}/operator/revoke`, {
      method: "POST",
      body: JSON.stringify(PERSON),
      headers: { authorization: `Bearer guess-${count}`, "cf-connecting-ip": "203.0.113.77" },
    });
    await answer.body?.cancel();
    statuses.push(answer.status);
  }
  assert.equal(statuses[0], 401);
  assert.equal(statuses.at(-1), 429);
});

// OA-19

test("OA-19: signing in again for the same client, redirect and resource ends the older grant once the new one is redeemed", async () => {
  const client = await registerClient(stack);
  const first = await signInWith(stack, client);
  const code = await obtainCode(stack, client);
  assertToolResult(await getEmails(stack, first.accessToken));
  const second = tokensOf(await redeem(stack, client, code));
  await eventually(() => assertDead(first));
  assertToolResult(await getEmails(stack, second.accessToken));
});

test("OA-19: a code that is never redeemed ends no older grant", async () => {
  const client = await registerClient(stack);
  const first = await signInWith(stack, client);
  const code = await obtainCode(stack, client);
  assertOAuthError(await redeem(stack, client, { ...code, verifier: "v".repeat(43) }), 400, "invalid_grant");
  assertToolResult(await getEmails(stack, first.accessToken));
});

test("OA-19: another redirect, another resource, another client or another person is another grant", async () => {
  const client = await registerClient(stack, { redirectUris: [WEB_REDIRECT, OTHER_REDIRECT] });
  const sessions = [
    await signInWith(stack, client),
    await signInWith(stack, { ...client, redirectUri: OTHER_REDIRECT }),
    await signInWith(stack, client, { authorize: { resource: `${stack.url}/mcp` } }),
    await signInWith(stack, await registerClient(stack)),
    await signInWith(stack, client, { email: BORIS.email }),
  ];
  for (const { accessToken } of sessions) assertToolResult(await getEmails(stack, accessToken));
});

test("OA-19 / ST-03: the index names a person by a hash, ends with the grant, and says nothing in clear", async () => {
  const session = await signInWith(stack, await registerClient(stack));
  const [, gid = ""] = session.code.split(".");
  const find = async () => (await indexOf()).find(({ key }) => key.endsWith(`:${gid}`));
  await eventually(async () => assert.ok((await find()) !== undefined));
  const entry = await find();
  assert.ok(entry !== undefined);
  assert.equal(entry.namespace, "OAUTH_KV");
  assert.match(entry.key, /^user:[A-Za-z0-9_-]{22,64}:[A-Za-z0-9_-]{22}$/);
  const text = JSON.stringify(entry);
  for (const clear of [ADA.oid, ADA.tid, ADA.email, "app.example.com", session.client.clientId])
    assert.ok(!text.includes(clear));
  const left = (entry.expiration ?? 0) - Date.now() / 1000;
  assert.ok(Math.abs(left - 90 * 86_400) < 120, `${left}`);
  assert.ok(JSON.stringify(entry.metadata ?? {}).length < 1024);
});

test("OA-19: a code that was not redeemed is not in the index", async () => {
  const { code } = await obtainCode(stack, await registerClient(stack));
  const [, gid = ""] = code.split(".");
  assert.ok(!(await indexOf()).some(({ key }) => key.endsWith(`:${gid}`)));
});

test("OA-20: a grant that was already over is not counted", async () => {
  await asOperator(PERSON);
  const client = await registerClient(stack);
  const revoked = await signInWith(stack, client);
  await settle(revoked);
  assert.equal((await revoke(stack, client, revoked.refreshToken)).status, 200);
  const replayed = await signInWith(stack, await registerClient(stack));
  await settle(replayed);
  await redeem(stack, replayed.client, replayed);
  const alive = await signInWith(stack, await registerClient(stack));
  await settle(alive);
  assert.equal(countOf(await asOperator(PERSON)), 1);
  await assertDead(alive);
});

test("OA-19: parallel redemptions of two codes of one client: the next sign-in ends both", async () => {
  const client = await registerClient(stack);
  const codes = [await obtainCode(stack, client), await obtainCode(stack, client)];
  const replies = await Promise.all(codes.map((code) => redeem(stack, client, code)));
  const tokens = replies.map(tokensOf);
  const last = await signInWith(stack, client);
  for (const { accessToken } of tokens) {
    await eventually(async () => assertUnauthorized(await getEmails(stack, accessToken)));
  }
  assertToolResult(await getEmails(stack, last.accessToken));
});

test("OA-19: the 51st sign-in drops the oldest grant, and no other", async (t) => {
  const crowded = await startStack();
  t.after(() => crowded.dispose());
  const sessions: Session[] = [];
  const redeemedMs: number[] = [];
  for (let count = 0; count < 51; count += 1) {
    sessions.push(await signInWith(crowded, await registerClient(crowded, { name: `Client ${count}` })));
    redeemedMs.push(Date.now());
  }
  const findDead = async () => {
    const results = await Promise.all(sessions.map(({ accessToken }) => getEmails(crowded, accessToken)));
    return results.flatMap(({ status }, index) => (status === 401 ? [index] : []));
  };
  await eventually(async () => assert.equal((await findDead()).length, 1));
  const [oldest = 50] = await findDead();
  // Ages are kept in seconds, so that grants of one second are equally old.
  assert.ok((redeemedMs[oldest] ?? Number.POSITIVE_INFINITY) - (redeemedMs[0] ?? 0) < 2000, `dead: ${oldest}`);
  await eventually(async () => {
    assert.equal((await crowded.kv()).filter(({ key }) => key.startsWith("user:")).length, 50);
  });
});
