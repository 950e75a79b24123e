// POST /token with a refresh token: OA-08, EN-04 to EN-06, rows 22 to 24.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { mintGrantId, mintToken } from "../../src/crypto/token.ts";
import {
  assertOAuthError,
  assertToolResult,
  assertUnauthorized,
  eventsOf,
  storageOf,
} from "../support/oauth-assert.ts";
import {
  type Changes,
  getEmails,
  postForm,
  refresh,
  registerClient,
  rpc,
  type Session,
  type SignInOptions,
  signInWith,
  type TestClient,
  tokensOf,
} from "../support/oauth-client.ts";

let stack: Stack;
let open: TestClient;
before(async () => {
  stack = await startStack();
  open = await registerClient(stack);
});
after(() => stack.dispose());
afterEach(() => {
  const { entra } = stack;
  entra.delayMs = 0;
  entra.failure = undefined;
  entra.nextTokenAnswers = [];
  entra.accessTokenLifetimeSeconds = 3600;
  entra.omitRefreshToken = false;
});

/** Under five minutes: the next refresh has to ask Entra. */
const SHORT_SECONDS = 60;

/** Somebody signed in whose Microsoft token is about to end. */
async function signInBriefly(client = open, options: SignInOptions = {}): Promise<Session> {
  stack.entra.accessTokenLifetimeSeconds = SHORT_SECONDS;
  const session = await signInWith(stack, client, options);
  stack.entra.accessTokenLifetimeSeconds = 3600;
  return session;
}

test("OA-08: a refresh rotates, and both the old and the new access token work", async () => {
  const session = await signInWith(stack, open);
  const reply = await refresh(stack, open, session.refreshToken);
  const renewed = tokensOf(reply);
  assert.equal(reply.body.token_type, "Bearer");
  assert.equal(reply.body.expires_in, 3600);
  assert.equal(renewed.scope, session.scope);
  assert.equal(reply.headers.get("cache-control"), "no-store");
  assert.notEqual(renewed.refreshToken, session.refreshToken);
  assert.notEqual(renewed.accessToken, session.accessToken);
  for (const { accessToken } of [session, renewed]) assertToolResult(await getEmails(stack, accessToken));
});

test("OA-08: Entra is not asked while the Microsoft token has five minutes left", async () => {
  const session = await signInWith(stack, open);
  const asked = stack.entra.requests.length;
  tokensOf(await refresh(stack, open, session.refreshToken));
  assert.equal(stack.entra.requests.length, asked);
});

test("OA-08: Entra is asked once when the Microsoft token has less", async () => {
  const session = await signInBriefly();
  const renewals = stack.entra.refreshCount;
  tokensOf(await refresh(stack, open, session.refreshToken));
  assert.equal(stack.entra.refreshCount, renewals + 1);
});

test("OA-08: a hundred refreshes in a row each work, and the newest 20 access tokens are kept", async () => {
  const session = await signInWith(stack, open);
  const accessTokens = [session.accessToken];
  let { refreshToken } = session;
  for (let count = 0; count < 100; count += 1) {
    const renewed = tokensOf(await refresh(stack, open, refreshToken));
    accessTokens.push(renewed.accessToken);
    refreshToken = renewed.refreshToken;
  }
  for (const accessToken of accessTokens.slice(-20)) assertToolResult(await getEmails(stack, accessToken));
  for (const accessToken of accessTokens.slice(0, -20).slice(-3)) {
    assertUnauthorized(await getEmails(stack, accessToken));
  }
});

// Concurrent refreshes and lost answers

test("row 22 / OA-08: of 8 parallel refreshes every answer is 200 and every token works, 20 times, with a slow Entra", async () => {
  for (let round = 0; round < 20; round += 1) {
    const session = await signInBriefly();
    const renewals = stack.entra.refreshCount;
    stack.entra.delayMs = 100;
    const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(stack, open, session.refreshToken)));
    stack.entra.delayMs = 0;
    const renewed = replies.map(tokensOf);
    assert.equal(stack.entra.refreshCount, renewals + 1, "EN-04: one refresh at Entra for all of them");
    assert.equal(new Set(renewed.map(({ refreshToken }) => refreshToken)).size, 1);
    assert.equal(new Set(renewed.map(({ accessToken }) => accessToken)).size, 8);
    const results = await Promise.all(renewed.map(({ accessToken }) => getEmails(stack, accessToken)));
    for (const result of results) assertToolResult(result);
    tokensOf(await refresh(stack, open, renewed[0]?.refreshToken ?? ""));
  }
});

test("row 22: the same 20 times in one grant, with Entra near", async () => {
  let { refreshToken } = await signInWith(stack, open);
  for (let round = 0; round < 20; round += 1) {
    const used = refreshToken;
    const replies = await Promise.all(Array.from({ length: 8 }, () => refresh(stack, open, used)));
    const renewed = replies.map(tokensOf);
    assert.equal(new Set(renewed.map((tokens) => tokens.refreshToken)).size, 1);
    const results = await Promise.all(renewed.map(({ accessToken }) => getEmails(stack, accessToken)));
    for (const result of results) assertToolResult(result);
    refreshToken = renewed[0]?.refreshToken ?? "";
  }
});

test("row 22: parallel refreshes and calls of one grant share one refresh at Entra", async () => {
  const session = await signInBriefly();
  const renewals = stack.entra.refreshCount;
  stack.entra.delayMs = 100;
  const [replies, results] = await Promise.all([
    Promise.all(Array.from({ length: 4 }, () => refresh(stack, open, session.refreshToken))),
    Promise.all(Array.from({ length: 4 }, () => getEmails(stack, session.accessToken))),
  ]);
  replies.map(tokensOf);
  for (const result of results) assertToolResult(result);
  assert.equal(stack.entra.refreshCount, renewals + 1);
});

test("OA-08: a lost answer may be asked for again: the same successor, a new access token, as often as needed", async () => {
  const session = await signInWith(stack, open);
  const first = tokensOf(await refresh(stack, open, session.refreshToken));
  for (let count = 0; count < 5; count += 1) {
    const again = tokensOf(await refresh(stack, open, session.refreshToken));
    assert.equal(again.refreshToken, first.refreshToken);
    assert.notEqual(again.accessToken, first.accessToken);
    assertToolResult(await getEmails(stack, again.accessToken));
  }
  tokensOf(await refresh(stack, open, first.refreshToken));
});

test("OA-08: once the successor was used, its predecessor ends the grant", async () => {
  const session = await signInWith(stack, open);
  const second = tokensOf(await refresh(stack, open, session.refreshToken));
  const third = tokensOf(await refresh(stack, open, second.refreshToken));
  assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
  assertOAuthError(await refresh(stack, open, third.refreshToken), 400, "invalid_grant");
  for (const { accessToken } of [session, second, third]) assertUnauthorized(await getEmails(stack, accessToken));
});

for (const age of [2, 5, 40]) {
  test(`row 23 / RFC 9700 §4.14.2: a refresh token ${age} generations old is 400, and the newest is dead`, async () => {
    const session = await signInWith(stack, open);
    let newest = session.refreshToken;
    for (let count = 0; count < age; count += 1) newest = tokensOf(await refresh(stack, open, newest)).refreshToken;
    assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
    assertOAuthError(await refresh(stack, open, newest), 400, "invalid_grant");
    const reasons = (await eventsOf(stack, "OAuth grant ended")).map(({ code }) => code);
    assert.equal(reasons.at(-1), "refresh_reused");
  });
}

test("row 23: reuse in one grant leaves another grant of the same person alone", async () => {
  const [stolen, other] = [await signInWith(stack, open), await signInWith(stack, await registerClient(stack))];
  const second = tokensOf(await refresh(stack, open, stolen.refreshToken));
  tokensOf(await refresh(stack, open, second.refreshToken));
  assertOAuthError(await refresh(stack, open, stolen.refreshToken), 400, "invalid_grant");
  assertToolResult(await getEmails(stack, other.accessToken));
});

test("section 4: a stale refresh token is never invalid_client", async () => {
  const session = await signInWith(stack, open);
  const second = tokensOf(await refresh(stack, open, session.refreshToken));
  tokensOf(await refresh(stack, open, second.refreshToken));
  for (const stale of [session.refreshToken, second.refreshToken, "x", "m365r.x.y"]) {
    assertOAuthError(await refresh(stack, open, stale), 400, "invalid_grant");
  }
});

// Who may refresh

test("OA-08: the idempotent replay needs the same client authentication", async () => {
  const basic = await registerClient(stack, { method: "client_secret_basic" });
  const session = await signInWith(stack, basic);
  const renewed = tokensOf(await refresh(stack, basic, session.refreshToken));
  const impostors: readonly TestClient[] = [
    { ...basic, clientSecret: "wrong" },
    { ...basic, method: "none" },
    { ...basic, method: "client_secret_post" },
  ];
  for (const impostor of impostors) {
    assertOAuthError(await refresh(stack, impostor, session.refreshToken), 401, "invalid_client");
    assertOAuthError(await refresh(stack, impostor, renewed.refreshToken), 401, "invalid_client");
  }
  assert.equal(tokensOf(await refresh(stack, basic, session.refreshToken)).refreshToken, renewed.refreshToken);
});

test("OA-08: a refresh token of one client is invalid_grant for another, current or spent, and ends nothing", async () => {
  const other = await registerClient(stack);
  const session = await signInWith(stack, open);
  const second = tokensOf(await refresh(stack, open, session.refreshToken));
  const third = tokensOf(await refresh(stack, open, second.refreshToken));
  for (const { refreshToken } of [session, second, third]) {
    assertOAuthError(await refresh(stack, other, refreshToken), 400, "invalid_grant");
  }
  tokensOf(await refresh(stack, open, third.refreshToken));
});

test("row 17: a forged refresh token is invalid_grant, and the real grant works on", async () => {
  const session = await signInWith(stack, open);
  const stored = await storageOf(stack);
  const [kind = "", gid = "", secret = ""] = session.refreshToken.split(".");
  const ring = await loadKeyRing(stack.bindings.ENCRYPTION_KEY ?? "", undefined);
  const expired = await mintToken(ring, "m365r", gid, epochSeconds(Date.now() - 1000));
  const forged = [
    `${kind}.${gid}.${"A".repeat(59)}`,
    `${kind}.${mintGrantId()}.${secret}`,
    `${kind}.${gid}.${secret.slice(0, -2)}AA`,
    expired.text,
    session.accessToken,
    session.code,
    session.accessToken.replace("m365a", "m365r"),
  ];
  for (const token of forged) assertOAuthError(await refresh(stack, open, token), 400, "invalid_grant");
  assert.deepEqual(await storageOf(stack), stored);
  tokensOf(await refresh(stack, open, session.refreshToken));
});

test("OA-08: whatever carries our tag was issued, so one that is neither current nor previous ends the grant", async () => {
  const session = await signInWith(stack, open);
  const [, gid = ""] = session.refreshToken.split(".");
  const ring = await loadKeyRing(stack.bindings.ENCRYPTION_KEY ?? "", undefined);
  const { text } = await mintToken(ring, "m365r", gid, epochSeconds(Date.now() + 60_000));
  assertOAuthError(await refresh(stack, open, text), 400, "invalid_grant");
  assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
});

// Scope and resource

test("OA-08 / RFC 6749 §6: scope narrows for the new access token alone", async () => {
  const session = await signInWith(stack, open, { authorize: { scope: "Mail.Read Mail.Send" } });
  const narrow = tokensOf(await refresh(stack, open, session.refreshToken, { changes: { scope: "Mail.Send" } }));
  assert.equal(narrow.scope, "Mail.Send");
  assert.equal((await getEmails(stack, narrow.accessToken)).status, 403);
  const full = tokensOf(await refresh(stack, open, narrow.refreshToken));
  assert.deepEqual(full.scope.split(" ").sort(), ["Mail.Read", "Mail.Send"]);
  assertToolResult(await getEmails(stack, full.accessToken));
});

test("OA-08: the idempotent replay may narrow as well", async () => {
  const session = await signInWith(stack, open, { authorize: { scope: "Mail.Read Mail.Send" } });
  const first = tokensOf(await refresh(stack, open, session.refreshToken));
  const again = tokensOf(await refresh(stack, open, session.refreshToken, { changes: { scope: "Mail.Send" } }));
  assert.deepEqual([again.scope, again.refreshToken], ["Mail.Send", first.refreshToken]);
});

const WIDER: readonly Changes[] = [
  { scope: "Mail.Read Mail.Send" },
  { scope: "Mail.Send" },
  { scope: "Mail.ReadWrite Mail.Send" },
  { scope: "Files.Read" },
];
for (const changes of WIDER) {
  test(`OA-08 / RFC 6749 §6: scope=${changes.scope} on a grant of Mail.Read is invalid_scope, and nothing rotates`, async () => {
    const session = await signInWith(stack, open, { authorize: { scope: "Mail.Read" } });
    assertOAuthError(await refresh(stack, open, session.refreshToken, { changes }), 400, "invalid_scope");
    const next = tokensOf(await refresh(stack, open, session.refreshToken));
    tokensOf(await refresh(stack, open, next.refreshToken));
  });
}

test("OA-11: openid and its companions narrow nothing at a refresh", async () => {
  const session = await signInWith(stack, open, { authorize: { scope: "Mail.Read" } });
  const changes = { scope: "openid profile offline_access Mail.Read" };
  assert.equal(tokensOf(await refresh(stack, open, session.refreshToken, { changes })).scope, "Mail.Read");
});

test("OA-08: scope=openid offline_access alone asks for what the grant holds, not for more", async () => {
  const session = await signInWith(stack, open, { authorize: { scope: "Mail.Read" } });
  const changes = { scope: "openid offline_access" };
  assert.equal(tokensOf(await refresh(stack, open, session.refreshToken, { changes })).scope, "Mail.Read");
});

test("OA-16: a foreign resource at a refresh is invalid_target, and nothing rotates", async () => {
  const session = await signInWith(stack, open);
  for (const resource of ["https://graph.microsoft.com", `${stack.url}/other`]) {
    assertOAuthError(
      await refresh(stack, open, session.refreshToken, { changes: { resource } }),
      400,
      "invalid_target",
    );
  }
  tokensOf(await refresh(stack, open, session.refreshToken, { changes: { resource: `${stack.url}/sse` } }));
});

// Entra in trouble

for (const [failure, retryAfter] of [
  ["throttled", "7"],
  ["unavailable", undefined],
] as const) {
  test(`row 24 / OA-08: Entra ${failure}: 503 temporarily_unavailable with Retry-After, and nothing rotates`, async () => {
    const session = await signInBriefly();
    stack.entra.failure = failure;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const reply = await refresh(stack, open, session.refreshToken);
      assertOAuthError(reply, 503, "temporarily_unavailable");
      assert.match(reply.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
      if (retryAfter !== undefined) assert.equal(reply.headers.get("retry-after"), retryAfter);
    }
    stack.entra.failure = undefined;
    const next = tokensOf(await refresh(stack, open, session.refreshToken));
    const last = tokensOf(await refresh(stack, open, next.refreshToken));
    assertToolResult(await getEmails(stack, last.accessToken));
  });
}

test("row 24: a storm of refreshes against a failing Entra leaves the grant", async () => {
  const session = await signInBriefly();
  stack.entra.failure = "unavailable";
  const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(stack, open, session.refreshToken)));
  for (const reply of replies) assertOAuthError(reply, 503, "temporarily_unavailable");
  stack.entra.failure = undefined;
  assertToolResult(await getEmails(stack, tokensOf(await refresh(stack, open, session.refreshToken)).accessToken));
});

for (const failure of ["invalid_grant", "interaction_required"] as const) {
  test(`row 24 / EN-06: Entra's ${failure} is invalid_grant once, and the grant is gone`, async () => {
    const session = await signInBriefly();
    stack.entra.failure = failure;
    assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
    stack.entra.failure = undefined;
    const asked = stack.entra.requests.length;
    assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
    assertUnauthorized(await getEmails(stack, session.accessToken));
    assert.equal(stack.entra.requests.length, asked, "Entra is not asked for a grant that is gone");
  });
}

test("row 24: a storm of refreshes after Entra's invalid_grant asks Entra once", async () => {
  const session = await signInBriefly();
  stack.entra.failure = "invalid_grant";
  stack.entra.delayMs = 60;
  const asked = stack.entra.requests.length;
  const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(stack, open, session.refreshToken)));
  for (const reply of replies) assertOAuthError(reply, 400, "invalid_grant");
  assert.equal(stack.entra.requests.length, asked + 1);
});

test("section 4: a refresh that is refused anyway never gets as far as Entra, and reuse ends the grant while Entra is down", async () => {
  const session = await signInBriefly(open, { authorize: { scope: "Mail.Read" } });
  const asked = stack.entra.requests.length;
  const stranger = await registerClient(stack);
  assertOAuthError(await refresh(stack, stranger, session.refreshToken), 400, "invalid_grant");
  const wider = { changes: { scope: "Mail.Send" } };
  assertOAuthError(await refresh(stack, open, session.refreshToken, wider), 400, "invalid_scope");
  assert.equal(stack.entra.requests.length, asked);

  stack.entra.accessTokenLifetimeSeconds = SHORT_SECONDS;
  const second = tokensOf(await refresh(stack, open, session.refreshToken));
  const third = tokensOf(await refresh(stack, open, second.refreshToken));
  stack.entra.failure = "unavailable";
  assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
  stack.entra.failure = undefined;
  assertOAuthError(await refresh(stack, open, third.refreshToken), 400, "invalid_grant");
});

test("EN-06: revoked refresh tokens at Entra end the grant at the next call, with the challenge of AU-01", async () => {
  const session = await signInBriefly();
  stack.entra.revokeRefreshTokens();
  assertUnauthorized(await getEmails(stack, session.accessToken));
  assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
});

test("row 24 / EN-06: Entra's invalid_client keeps the grant and is an ERROR for the operator", async () => {
  const session = await signInBriefly();
  stack.entra.failure = "invalid_client";
  const reply = await refresh(stack, open, session.refreshToken);
  assertOAuthError(reply, 503, "temporarily_unavailable");
  assert.match(reply.headers.get("retry-after") ?? "", /^\d+$/);
  const event = (await eventsOf(stack, "Authentication of this server at Microsoft failed")).at(-1);
  assert.equal(event?.level, "ERROR");
  stack.entra.failure = undefined;
  assertToolResult(await getEmails(stack, tokensOf(await refresh(stack, open, session.refreshToken)).accessToken));
});

const ODD_ANSWERS: readonly (readonly [why: string, answer: { status: number; html?: string; body?: unknown }])[] = [
  ["HTML with 200", { status: 200, html: "<html></html>" }],
  ["200 without a token", { status: 200, body: {} }],
  ["400 with HTML", { status: 400, html: "<html></html>" }],
  ["500 with JSON", { status: 500, body: { error: "invalid_grant" } }],
  ["429 without Retry-After", { status: 429, html: "" }],
];
for (const [why, answer] of ODD_ANSWERS) {
  test(`row 24: when Entra answers ${why}, the grant stays`, async () => {
    const session = await signInBriefly();
    stack.entra.nextTokenAnswers = [answer];
    assertOAuthError(await refresh(stack, open, session.refreshToken), 503, "temporarily_unavailable");
    tokensOf(await refresh(stack, open, session.refreshToken));
  });
}

test("RL-04 / row 24: when Entra never answers, the refresh is 503 within 10 s or so, and the grant stays", async () => {
  const session = await signInBriefly();
  stack.entra.failure = "hang";
  const startedMs = Date.now();
  assertOAuthError(await refresh(stack, open, session.refreshToken), 503, "temporarily_unavailable");
  assert.ok(Date.now() - startedMs < 14_000);
  stack.entra.failure = undefined;
  tokensOf(await refresh(stack, open, session.refreshToken));
});

test("EN-05: an answer of Entra without a refresh token keeps the old one", async () => {
  const session = await signInBriefly();
  stack.entra.omitRefreshToken = true;
  stack.entra.accessTokenLifetimeSeconds = SHORT_SECONDS;
  const next = tokensOf(await refresh(stack, open, session.refreshToken));
  stack.entra.omitRefreshToken = false;
  stack.entra.accessTokenLifetimeSeconds = 3600;
  assertToolResult(await getEmails(stack, tokensOf(await refresh(stack, open, next.refreshToken)).accessToken));
});

test("EN-04: an expired Microsoft token is refreshed within the call, and nobody notices", async () => {
  const session = await signInWith(stack, open);
  const renewals = stack.entra.refreshCount;
  stack.entra.expireAccessTokens();
  const [first, second] = await Promise.all([
    getEmails(stack, session.accessToken),
    getEmails(stack, session.accessToken),
  ]);
  assertToolResult(first);
  assertToolResult(second);
  assert.equal(stack.entra.refreshCount, renewals + 1);
});

test("EN-06: Entra unavailable during a call is a retryable failure result, and the grant stays", async () => {
  const session = await signInBriefly();
  stack.entra.failure = "unavailable";
  const reply = await getEmails(stack, session.accessToken);
  assert.equal(reply.status, 200);
  assert.match(reply.text, /"isError":true/);
  assert.match(reply.text, /"retryable":true/);
  stack.entra.failure = undefined;
  assertToolResult(await getEmails(stack, session.accessToken));
});

// Requests

test("OA-18: a doubled parameter is invalid_request, and nothing rotates", async () => {
  const session = await signInWith(stack, open);
  const good = {
    grant_type: "refresh_token",
    refresh_token: session.refreshToken,
    scope: "Mail.Read",
    resource: stack.url,
  };
  for (const [name, value] of Object.entries({ ...good, client_id: open.clientId })) {
    const reply = await postForm(stack, "/token", open, good, { changes: { [name]: [value, value] } });
    assertOAuthError(reply, 400, "invalid_request");
  }
  tokensOf(await refresh(stack, open, session.refreshToken));
});

test("OA-14: a missing refresh token is invalid_request", async () => {
  for (const refresh_token of [undefined, ""]) {
    assertOAuthError(await refresh(stack, open, "x", { changes: { refresh_token } }), 400, "invalid_request");
  }
});

test("OA-14: a client that did not register for refresh_token is unauthorized_client", async () => {
  const single = await registerClient(stack, { metadata: { grant_types: ["authorization_code"] } });
  const { accessToken, ...session } = await signInWith(stack, single);
  assertToolResult(await getEmails(stack, accessToken));
  assertOAuthError(await refresh(stack, single, session.refreshToken), 400, "unauthorized_client");
});

test("AU-02: discovery goes on with the new token, and with none", async () => {
  const session = await signInWith(stack, open);
  const { accessToken } = tokensOf(await refresh(stack, open, session.refreshToken));
  for (const token of [accessToken, undefined])
    assert.equal((await rpc(stack, "tools/list", {}, { token })).status, 200);
});
