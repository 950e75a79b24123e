// POST /revoke (RFC 7009): OA-13, OA-14, OA-18, row 26.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { mintGrantId } from "../../src/crypto/token.ts";
import {
  assertOAuthError,
  assertToolResult,
  assertUnauthorized,
  eventsOf,
  storageOf,
} from "../support/oauth-assert.ts";
import {
  type AuthMethod,
  getEmails,
  obtainCode,
  postForm,
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
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const METHODS: readonly AuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];

async function begin(method: AuthMethod = "none") {
  const client = await registerClient(stack, { method });
  return { client, session: await signInWith(stack, client) };
}

/** RFC 7009 §2.2: 200, and the content of the answer does not matter. */
function assertRevoked(reply: Reply): void {
  assert.equal(reply.status, 200, reply.text);
  assert.match(reply.headers.get("cache-control") ?? "", /no-store/);
}

for (const method of METHODS) {
  test(`OA-13: a refresh token of a client of ${method} ends the grant at once`, async () => {
    const { client, session } = await begin(method);
    assertToolResult(await getEmails(stack, session.accessToken));
    assertRevoked(await revoke(stack, client, session.refreshToken));
    assertUnauthorized(await getEmails(stack, session.accessToken));
    assertOAuthError(await refresh(stack, client, session.refreshToken), 400, "invalid_grant");
  });

  test(`OA-13: an access token of a client of ${method} ends itself alone`, async () => {
    const { client, session } = await begin(method);
    const second = tokensOf(await refresh(stack, client, session.refreshToken));
    assertRevoked(await revoke(stack, client, session.accessToken));
    assertUnauthorized(await getEmails(stack, session.accessToken));
    assertToolResult(await getEmails(stack, second.accessToken));
    const third = tokensOf(await refresh(stack, client, second.refreshToken));
    assertToolResult(await getEmails(stack, third.accessToken));
  });
}

test("OA-13: every access token of the grant is gone with the refresh token", async () => {
  const { client, session } = await begin();
  const tokens = [session.accessToken];
  let { refreshToken } = session;
  for (let count = 0; count < 3; count += 1) {
    const renewed = tokensOf(await refresh(stack, client, refreshToken));
    tokens.push(renewed.accessToken);
    refreshToken = renewed.refreshToken;
  }
  assertRevoked(await revoke(stack, client, refreshToken));
  for (const token of tokens) assertUnauthorized(await getEmails(stack, token));
});

test("OA-13: token_type_hint is a hint: right, wrong, unknown, it changes nothing", async () => {
  for (const token_type_hint of ["access_token", "refresh_token", "nonsense", ""]) {
    const { client, session } = await begin();
    assertRevoked(await revoke(stack, client, session.refreshToken, { changes: { token_type_hint } }));
    assertUnauthorized(await getEmails(stack, session.accessToken));
  }
});

test("OA-13: a predecessor that may still be replayed ends the grant as well", async () => {
  const { client, session } = await begin();
  const renewed = tokensOf(await refresh(stack, client, session.refreshToken));
  assertRevoked(await revoke(stack, client, session.refreshToken));
  assertUnauthorized(await getEmails(stack, renewed.accessToken));
  assertOAuthError(await refresh(stack, client, renewed.refreshToken), 400, "invalid_grant");
});

test("OA-13: the first refresh token ends the grant after 40 rotations too", async () => {
  const { client, session } = await begin();
  let newest = tokensOf(await refresh(stack, client, session.refreshToken));
  for (let count = 1; count < 40; count += 1) newest = tokensOf(await refresh(stack, client, newest.refreshToken));
  assertRevoked(await revoke(stack, client, session.refreshToken));
  assertUnauthorized(await getEmails(stack, newest.accessToken));
  assertOAuthError(await refresh(stack, client, newest.refreshToken), 400, "invalid_grant");
});

test("OA-13: revoking twice is 200 twice", async () => {
  const { client, session } = await begin();
  for (let count = 0; count < 2; count += 1) {
    assertRevoked(await revoke(stack, client, session.accessToken));
    assertToolResult(await getEmails(stack, tokensOf(await refresh(stack, client, session.refreshToken)).accessToken));
  }
  for (let count = 0; count < 2; count += 1) assertRevoked(await revoke(stack, client, session.refreshToken));
});

test("row 26 / WOP #188: another client's revocation is 200, and the tokens still work", async () => {
  const { client, session } = await begin();
  for (const method of METHODS) {
    const stranger = await registerClient(stack, { method });
    for (const token of [session.accessToken, session.refreshToken, session.code]) {
      assertRevoked(await revoke(stack, stranger, token));
    }
  }
  assertToolResult(await getEmails(stack, session.accessToken));
  tokensOf(await refresh(stack, client, session.refreshToken));
});

test("OA-13 / RFC 7009 §2.2: an unknown token is 200, without effect and without a trace in storage", async () => {
  const { client, session } = await begin();
  const stored = await storageOf(stack);
  const [, gid = "", secret = ""] = session.refreshToken.split(".");
  const unknown = [
    "x",
    "m365a.x.y",
    `m365a.${mintGrantId()}.${"A".repeat(59)}`,
    `m365r.${gid}.${"A".repeat(59)}`,
    `m365a.${gid}.${secret}`,
    `m365z.${gid}.${secret}`,
    "eyJhbGciOiJub25lIn0.e30.",
    "t".repeat(9000),
    "\u0000",
  ];
  for (const token of unknown) assertRevoked(await revoke(stack, client, token));
  assert.deepEqual(await storageOf(stack), stored);
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("OA-13: a code that waits is no token: revoking it is 200", async () => {
  const client = await registerClient(stack);
  const { code } = await obtainCode(stack, client);
  assertRevoked(await revoke(stack, client, code));
});

test("OA-13: a code replayed after the revocation is invalid_grant", async () => {
  const { client, session } = await begin();
  assertRevoked(await revoke(stack, client, session.refreshToken));
  assertOAuthError(await redeem(stack, client, session), 400, "invalid_grant");
});

test("OA-13: parallel refreshes and a revocation leave no live token", async () => {
  for (let round = 0; round < 10; round += 1) {
    const { client, session } = await begin();
    const [replies] = await Promise.all([
      Promise.all(Array.from({ length: 6 }, () => refresh(stack, client, session.refreshToken))),
      revoke(stack, client, session.refreshToken),
    ]);
    for (const reply of replies) {
      if (reply.status !== 200) continue;
      const { accessToken, refreshToken } = tokensOf(reply);
      assertUnauthorized(await getEmails(stack, accessToken));
      assertOAuthError(await refresh(stack, client, refreshToken), 400, "invalid_grant");
    }
  }
});

test("OA-13: a revocation during a slow refresh at Entra is final", async (t) => {
  t.after(() => {
    stack.entra.delayMs = 0;
    stack.entra.accessTokenLifetimeSeconds = 3600;
  });
  stack.entra.accessTokenLifetimeSeconds = 60;
  const { client, session } = await begin();
  stack.entra.delayMs = 300;
  const asked = stack.entra.requests.length;
  const refreshing = refresh(stack, client, session.refreshToken);
  while (stack.entra.requests.length === asked) await new Promise((resolve) => setImmediate(resolve));
  assertRevoked(await revoke(stack, client, session.refreshToken));
  assertOAuthError(await refreshing, 400, "invalid_grant");
  assertUnauthorized(await getEmails(stack, session.accessToken));
});

// Client authentication, exactly as at /token

for (const registered of METHODS) {
  for (const used of METHODS) {
    if (registered === used) continue;
    test(`OA-13: registered ${registered}, used ${used}: 401 invalid_client, and the token works on`, async () => {
      const { client, session } = await begin(registered);
      const impostor: TestClient = { ...client, method: used, clientSecret: client.clientSecret ?? "guess" };
      const reply = await revoke(stack, impostor, session.refreshToken);
      assertOAuthError(reply, 401, "invalid_client");
      assert.match(reply.headers.get("www-authenticate") ?? "", /^Basic /);
      assertToolResult(await getEmails(stack, session.accessToken));
    });
  }
}

test("OA-13: a wrong secret, an unknown client and none at all are 401 invalid_client", async () => {
  const { client, session } = await begin("client_secret_basic");
  const strangers: readonly TestClient[] = [
    { ...client, clientSecret: "wrong" },
    { ...client, clientId: "nobody" },
    { ...client, clientId: "nobody", method: "none" },
  ];
  for (const stranger of strangers) {
    assertOAuthError(await revoke(stack, stranger, session.refreshToken), 401, "invalid_client");
  }
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const body = new URLSearchParams({ token: session.refreshToken }).toString();
  assertOAuthError(
    await readReply(await fetch(`${stack.url}/revoke`, { method: "POST", body, headers })),
    401,
    "invalid_client",
  );
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("OA-18: a doubled parameter is invalid_request, and the token works on", async () => {
  const { client, session } = await begin();
  const good = { token: session.refreshToken, token_type_hint: "refresh_token" };
  for (const [name, value] of Object.entries({ ...good, client_id: client.clientId, unknown: "x" })) {
    const reply = await postForm(stack, "/revoke", client, good, { changes: { [name]: [value, value] } });
    assertOAuthError(reply, 400, "invalid_request");
  }
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("OA-14: no token, a JSON body and odd content types are 400, a large body is 413, never 500", async () => {
  const { client, session } = await begin();
  for (const token of [undefined, ""]) {
    assertOAuthError(await revoke(stack, client, "x", { changes: { token } }), 400, "invalid_request");
  }
  for (const type of ["application/json", "text/plain", "nonsense", "multipart/form-data; boundary=x"]) {
    const reply = await revoke(stack, client, session.refreshToken, { headers: { "content-type": type } });
    assertOAuthError(reply, 400, "invalid_request");
  }
  const large = await revoke(stack, client, session.refreshToken, { changes: { padding: "p".repeat(16_384) } });
  assert.equal(large.status, 413);
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("row 27: a token in the query is not revoked", async () => {
  const { client, session } = await begin();
  const query = new URLSearchParams({ token: session.refreshToken, client_id: client.clientId });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const reply = await readReply(await fetch(`${stack.url}/revoke?${query}`, { method: "POST", body: "", headers }));
  assert.ok([400, 401].includes(reply.status));
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("EP-14: /revoke answers POST only", async () => {
  const reply = await readReply(await fetch(`${stack.url}/revoke`));
  assert.equal(reply.status, 405);
  assert.match(reply.headers.get("allow") ?? "", /POST/);
});

test("OA-13: Microsoft is not asked", async () => {
  const { client, session } = await begin();
  const asked = stack.entra.requests.length;
  assertRevoked(await revoke(stack, client, session.refreshToken));
  assert.equal(stack.entra.requests.length, asked);
});

test("LG-07: the end of a grant is audited with person, client, redirect host and scopes, whoever ended it", async () => {
  const endings: readonly (readonly [
    message: string,
    end: (client: TestClient, session: Session) => Promise<unknown>,
  ])[] = [
    ["revoked", (client, session) => revoke(stack, client, session.refreshToken)],
    ["code_replayed", (client, session) => redeem(stack, client, session)],
    [
      "refresh_reused",
      async (client, session) => {
        const second = tokensOf(await refresh(stack, client, session.refreshToken));
        await refresh(stack, client, second.refreshToken);
        await refresh(stack, client, session.refreshToken);
      },
    ],
  ];
  for (const [reason, end] of endings) {
    const { client, session } = await begin();
    await end(client, session);
    const event = (await eventsOf(stack, "OAuth grant ended")).at(-1);
    assert.equal(event?.code, reason);
    assert.equal(event?.userId, ADA.oid, reason);
    const text = JSON.stringify(event);
    for (const fact of [client.clientId, "app.example.com", "Mail.Read"])
      assert.ok(text.includes(fact), `${reason}: ${fact}`);
  }
});

test("CS-01: a browser may revoke, never with credentials", async () => {
  const { client, session } = await begin();
  const reply = await revoke(stack, client, session.refreshToken, { headers: { origin: "http://localhost:6274" } });
  assertRevoked(reply);
  assert.ok(["*", "http://localhost:6274"].includes(reply.headers.get("access-control-allow-origin") ?? ""));
  assert.equal(reply.headers.get("access-control-allow-credentials"), null);
});
