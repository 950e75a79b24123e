// POST /token with a code: OA-06, OA-07, OA-14, OA-16, OA-18, D-06, rows 15 to 21.
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
  storageOf,
  storedGrants,
} from "../support/oauth-assert.ts";
import {
  type AuthMethod,
  basicHeader,
  type Changes,
  getEmails,
  type ObtainedCode,
  OTHER_REDIRECT,
  obtainCode,
  postForm,
  postRaw,
  type Reply,
  readReply,
  redeem,
  refresh,
  registerClient,
  signInWith,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

let stack: Stack;
let open: TestClient;
let basic: TestClient;
let posting: TestClient;
before(async () => {
  stack = await startStack();
  open = await registerClient(stack);
  basic = await registerClient(stack, { method: "client_secret_basic" });
  posting = await registerClient(stack, { method: "client_secret_post" });
});
after(() => stack.dispose());
afterEach(() => {
  stack.entra.delayMs = 0;
});

const clientOf = (method: AuthMethod) =>
  ({ none: open, client_secret_basic: basic, client_secret_post: posting })[method];
const METHODS = ["none", "client_secret_basic", "client_secret_post"] as const;

/** The code survived: it is still worth tokens, and they work. */
async function assertAlive(client: TestClient, code: ObtainedCode): Promise<void> {
  assertToolResult(await getEmails(stack, tokensOf(await redeem(stack, client, code)).accessToken));
}

for (const method of METHODS) {
  test(`OA-07: a code is worth an answer of RFC 6749 §5.1 to a client of ${method}`, async () => {
    const client = clientOf(method);
    const reply = await redeem(stack, client, await obtainCode(stack, client));
    assert.equal(reply.status, 200, reply.text);
    assert.deepEqual(Object.keys(reply.body).sort(), [
      "access_token",
      "expires_in",
      "refresh_token",
      "scope",
      "token_type",
    ]);
    assert.equal(reply.body.token_type, "Bearer");
    assert.equal(reply.body.expires_in, 3600);
    const { accessToken, refreshToken, scope } = tokensOf(reply);
    assert.match(accessToken, /^m365a\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{59}$/);
    assert.match(refreshToken, /^m365r\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{59}$/);
    assert.ok(scope.split(" ").includes("Mail.Read"));
    assert.equal(reply.headers.get("cache-control"), "no-store");
    assert.match(reply.headers.get("content-type") ?? "", /^application\/json/);
    assertToolResult(await getEmails(stack, accessToken));
  });
}

test("D-31: the code has three parts and names nobody", async () => {
  const { code, redirect } = await obtainCode(stack, open);
  assert.match(code, /^m365c\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{59}$/);
  assert.deepEqual([...redirect.searchParams.keys()].sort(), ["code", "iss", "state"]);
});

test("OA-07: Microsoft is not asked at /token", async () => {
  const code = await obtainCode(stack, open);
  const asked = stack.entra.requests.length;
  tokensOf(await redeem(stack, open, code));
  assert.equal(stack.entra.requests.length, asked);
});

test("OA-07 / DX-02: redirect_uri may be left out", async () => {
  const code = await obtainCode(stack, open);
  tokensOf(await redeem(stack, open, code, { changes: { redirect_uri: undefined } }));
});

// Races and replays

for (const delayMs of [0, 120]) {
  test(`row 15 / OA-07: of 12 parallel redemptions exactly one is 200, 20 times, with Entra ${delayMs} ms away`, async () => {
    for (let round = 0; round < 20; round += 1) {
      const code = await obtainCode(stack, open);
      stack.entra.delayMs = delayMs;
      const replies = await Promise.all(Array.from({ length: 12 }, () => redeem(stack, open, code)));
      stack.entra.delayMs = 0;
      const refused = replies.filter(({ status }) => status !== 200);
      assert.equal(refused.length, 11);
      for (const reply of refused) assertOAuthError(reply, 400, "invalid_grant");
      // RFC 6749 §10.5: the eleven were replays, so what the first got is worth nothing.
      const [won] = replies.filter(({ status }) => status === 200);
      assert.ok(won !== undefined);
      assertUnauthorized(await getEmails(stack, tokensOf(won).accessToken));
    }
  });
}

test("row 16 / RFC 6749 §10.5: a replay is invalid_grant, and the first access token is 401", async () => {
  const session = await signInWith(stack, open);
  assertToolResult(await getEmails(stack, session.accessToken));
  assertOAuthError(await redeem(stack, open, session), 400, "invalid_grant");
  assertUnauthorized(await getEmails(stack, session.accessToken));
  assertOAuthError(await refresh(stack, open, session.refreshToken), 400, "invalid_grant");
});

test("row 16: a replay after a refresh ends what the refresh gave as well", async () => {
  const session = await signInWith(stack, open);
  const renewed = tokensOf(await refresh(stack, open, session.refreshToken));
  assertOAuthError(await redeem(stack, open, session), 400, "invalid_grant");
  assertUnauthorized(await getEmails(stack, renewed.accessToken));
  assertOAuthError(await refresh(stack, open, renewed.refreshToken), 400, "invalid_grant");
});

test("row 16: the refused replay is answered the same when it is repeated", async () => {
  const session = await signInWith(stack, open);
  const first = await redeem(stack, open, session);
  const second = await redeem(stack, open, session);
  assert.deepEqual([second.status, second.body], [first.status, first.body]);
});

test("row 16: a replay of one grant leaves another of the same person and client alone", async () => {
  const [first, second] = [await signInWith(stack, open), await signInWith(stack, await registerClient(stack))];
  assertOAuthError(await redeem(stack, open, first), 400, "invalid_grant");
  assertToolResult(await getEmails(stack, second.accessToken));
});

const FAILED_CHECKS: readonly (readonly [why: string, changes: Changes, status: number, error: string])[] = [
  ["another verifier", { code_verifier: "v".repeat(43) }, 400, "invalid_grant"],
  ["another redirect", { redirect_uri: OTHER_REDIRECT }, 400, "invalid_grant"],
  ["another resource", { resource: "https://graph.microsoft.com" }, 400, "invalid_target"],
];
for (const [why, changes, status, error] of FAILED_CHECKS) {
  test(`section 4: a replay with ${why} does not end the grant`, async () => {
    const session = await signInWith(stack, open);
    for (let attempt = 0; attempt < 12; attempt += 1) {
      assertOAuthError(await redeem(stack, open, session, { changes }), status, error);
    }
    assertToolResult(await getEmails(stack, session.accessToken));
  });
}

test("section 4: a replay by another client does not end the grant", async () => {
  const session = await signInWith(stack, open);
  const other = await registerClient(stack);
  assertOAuthError(await redeem(stack, other, session), 400, "invalid_grant");
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("row 17: a known grant id with another secret is invalid_grant, and the real grant works on", async () => {
  const session = await signInWith(stack, open);
  const stored = await storageOf(stack);
  const [kind = "", gid = "", secret = ""] = session.code.split(".");
  const flip = (at: number) => `${secret.slice(0, at)}${secret[at] === "A" ? "B" : "A"}${secret.slice(at + 1)}`;
  const forged = [
    `${kind}.${gid}.${"A".repeat(59)}`,
    `${kind}.${mintGrantId()}.${secret}`,
    ...[0, 5, 6, 20, 37, 38, 50, 57].map((at) => `${kind}.${gid}.${flip(at)}`),
    session.accessToken,
    session.refreshToken,
    session.accessToken.replace("m365a", "m365c"),
    `${session.code}A`,
    session.code.slice(0, -1),
    session.code.toUpperCase(),
    "x",
    "a".repeat(9000),
  ];
  for (const code of forged) {
    assertOAuthError(await redeem(stack, open, session, { changes: { code } }), 400, "invalid_grant");
  }
  assert.deepEqual(await storageOf(stack), stored);
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("row 17 / ST-07: a code with a good tag for an object that never was leaves nothing behind", async () => {
  const before = await storedGrants(stack);
  const ring = await loadKeyRing(stack.bindings.ENCRYPTION_KEY ?? "", undefined);
  const { text } = await mintToken(ring, "m365c", mintGrantId(), epochSeconds(Date.now() + 60_000));
  assertOAuthError(await redeem(stack, open, { code: text, verifier: "v".repeat(43) }), 400, "invalid_grant");
  assert.deepEqual(await storedGrants(stack), before);
});

test("row 17: a code one second past its end is invalid_grant", async () => {
  const session = await signInWith(stack, open);
  const [, gid = ""] = session.code.split(".");
  const ring = await loadKeyRing(stack.bindings.ENCRYPTION_KEY ?? "", undefined);
  const { text } = await mintToken(ring, "m365c", gid, epochSeconds(Date.now() - 1000));
  assertOAuthError(await redeem(stack, open, { ...session, code: text }), 400, "invalid_grant");
  assertToolResult(await getEmails(stack, session.accessToken));
});

// Failed checks never consume a code

test("row 18 / OA-07: two addresses registered, asked with one, exchanged with the other: invalid_grant, the code lives", async () => {
  const two = await registerClient(stack, { redirectUris: [WEB_REDIRECT, OTHER_REDIRECT] });
  const code = await obtainCode(stack, two);
  assertOAuthError(await redeem(stack, two, code, { changes: { redirect_uri: OTHER_REDIRECT } }), 400, "invalid_grant");
  await assertAlive(two, code);
});

for (const redirect_uri of [`${WEB_REDIRECT}/`, `${WEB_REDIRECT}?`, WEB_REDIRECT.toUpperCase(), "x", " "]) {
  test(`OA-07: the redirect ${JSON.stringify(redirect_uri)} at /token leaves the code usable`, async () => {
    const code = await obtainCode(stack, open);
    assertOAuthError(await redeem(stack, open, code, { changes: { redirect_uri } }), 400, "invalid_grant");
    await assertAlive(open, code);
  });
}

for (const resource of ["https://graph.microsoft.com", "https://evil.example/mcp", "x", "{url}/other", "{url}/mcp#"]) {
  test(`row 20 / OA-16: the resource ${resource} at /token is invalid_target, and a retry works`, async () => {
    const code = await obtainCode(stack, open);
    const changes = { resource: resource.replace("{url}", stack.url) };
    for (let attempt = 0; attempt < 11; attempt += 1) {
      assertOAuthError(await redeem(stack, open, code, { changes }), 400, "invalid_target");
    }
    tokensOf(await redeem(stack, open, code, { changes: { resource: `${stack.url}/mcp` } }));
  });
}

test("OA-16: every spelling of this server will do at /token", async () => {
  for (const suffix of ["", "/", "/sse", "/mcp"]) {
    const code = await obtainCode(stack, open, { authorize: { resource: `${stack.url}/mcp` } });
    tokensOf(await redeem(stack, open, code, { changes: { resource: `${stack.url}${suffix}` } }));
  }
});

test("OA-06 / RFC 7636 §4.6: a wrong verifier is invalid_grant, and the code lives", async () => {
  const code = await obtainCode(stack, open);
  for (const code_verifier of [
    "v".repeat(43),
    code.verifier.toUpperCase(),
    `${code.verifier}A`,
    code.verifier.slice(1),
  ]) {
    assertOAuthError(await redeem(stack, open, code, { changes: { code_verifier } }), 400, "invalid_grant");
  }
  await assertAlive(open, code);
});

for (const code_verifier of ["v", "v".repeat(42), "v".repeat(129), `${"v".repeat(42)}+`, `${"v".repeat(42)}é`]) {
  test(`OA-06 / RFC 7636 §4.1: ${code_verifier.length} characters ending in ${code_verifier.at(-1)} are no verifier`, async () => {
    const code = await obtainCode(stack, open);
    const reply = await redeem(stack, open, code, { changes: { code_verifier } });
    assert.equal(reply.status, 400);
    assert.match(String(reply.body.error), /^invalid_(grant|request)$/);
    await assertAlive(open, code);
  });
}

test("row 1 / OA-06: a missing verifier is 400, also for a client with a secret, and the code lives", async () => {
  for (const client of [open, basic, posting]) {
    const code = await obtainCode(stack, client);
    for (const code_verifier of [undefined, ""]) {
      const reply = await redeem(stack, client, code, { changes: { code_verifier } });
      assert.equal(reply.status, 400);
      assert.match(String(reply.body.error), /^invalid_(grant|request)$/);
    }
    await assertAlive(client, code);
  }
});

test("OA-07: the challenge itself is no verifier", async () => {
  const code = await obtainCode(stack, open);
  const { createHash } = await import("node:crypto");
  const challenge = createHash("sha256").update(code.verifier).digest("base64url");
  assertOAuthError(await redeem(stack, open, code, { changes: { code_verifier: challenge } }), 400, "invalid_grant");
});

test("OA-07 / RFC 6749 §4.1.3: a code of one client is invalid_grant for another, and lives", async () => {
  const other = await registerClient(stack);
  const code = await obtainCode(stack, open);
  assertOAuthError(await redeem(stack, other, code), 400, "invalid_grant");
  await assertAlive(open, code);
});

test("OA-07: nine failed checks leave the code alive, ten burn it", async () => {
  for (const failures of [9, 10]) {
    const code = await obtainCode(stack, open);
    for (let attempt = 0; attempt < failures; attempt += 1) {
      const changes = { code_verifier: `${attempt}${"v".repeat(42)}` };
      assertOAuthError(await redeem(stack, open, code, { changes }), 400, "invalid_grant");
    }
    if (failures === 9) await assertAlive(open, code);
    else assertOAuthError(await redeem(stack, open, code), 400, "invalid_grant");
  }
});

test("OA-07: ten parallel failures burn the code as well", async () => {
  const code = await obtainCode(stack, open);
  const changes = { code_verifier: "v".repeat(43) };
  await Promise.all(Array.from({ length: 10 }, () => redeem(stack, open, code, { changes })));
  assertOAuthError(await redeem(stack, open, code), 400, "invalid_grant");
});

test("OA-07: wrong client secrets never reach the code, however many", async () => {
  for (const client of [basic, posting]) {
    const code = await obtainCode(stack, client);
    const wrong: TestClient = { ...client, clientSecret: "wrong" };
    for (let attempt = 0; attempt < 15; attempt += 1) {
      assertOAuthError(await redeem(stack, wrong, code), 401, "invalid_client");
    }
    await assertAlive(client, code);
  }
});

// Client authentication

for (const registered of METHODS) {
  for (const used of METHODS) {
    if (registered === used) continue;
    test(`row 19 / OA-14: registered ${registered}, used ${used}: 401 invalid_client, and the code lives`, async () => {
      const client = clientOf(registered);
      const code = await obtainCode(stack, client);
      const reply = await redeem(
        stack,
        { ...client, method: used, clientSecret: client.clientSecret ?? "guess" },
        code,
      );
      assertOAuthError(reply, 401, "invalid_client");
      assert.match(reply.headers.get("www-authenticate") ?? "", /^Basic /);
      await assertAlive(client, code);
    });
  }
}

test("OA-14 / D-06: code and client id only, for a client with a secret: 401 that says how to do it", async () => {
  const code = await obtainCode(stack, basic);
  const reply = await redeem(stack, { ...basic, method: "none" }, code);
  assertOAuthError(reply, 401, "invalid_client");
  assert.match(String(reply.body.error_description), /-u client_id:client_secret/);
  assert.match(String(reply.body.error_description), /token_endpoint_auth_method/);
});

test("row 19 / RFC 6749 §2.3: two methods in one request are refused, and the code lives", async () => {
  for (const client of [basic, posting]) {
    const code = await obtainCode(stack, client);
    const secret = client.clientSecret ?? "";
    const reply = await redeem(stack, client, code, {
      changes: { client_id: client.clientId, client_secret: secret },
      headers: { authorization: basicHeader(client.clientId, secret) },
    });
    assert.ok([400, 401].includes(reply.status), reply.text);
    assert.match(String(reply.body.error), /^invalid_(request|client)$/);
    await assertAlive(client, code);
  }
});

test("OA-14: client_id in the body beside Basic is fine when it is the same, and refused when it is another", async () => {
  const code = await obtainCode(stack, basic);
  const other = await redeem(stack, basic, code, { changes: { client_id: open.clientId } });
  assert.ok([400, 401].includes(other.status));
  tokensOf(await redeem(stack, basic, code, { changes: { client_id: basic.clientId } }));
});

test("RFC 6749 §2.3.1: the scheme of Basic is case-insensitive", async () => {
  const code = await obtainCode(stack, basic);
  const authorization = basicHeader(basic.clientId, basic.clientSecret ?? "").replace("Basic", "bAsIc");
  tokensOf(await redeem(stack, basic, code, { headers: { authorization } }));
});

test("OA-14: no client, an unknown client and an empty secret are invalid_client, never 500", async () => {
  const code = await obtainCode(stack, open);
  for (const client_id of [undefined, "", "nobody", "x".repeat(600), "\u0000", "постой", "../x"]) {
    assertOAuthError(await redeem(stack, open, code, { changes: { client_id } }), 401, "invalid_client");
  }
  assertOAuthError(await redeem(stack, { ...posting, clientSecret: "" }, code), 401, "invalid_client");
  await assertAlive(open, code);
});

const ODD_AUTHORIZATIONS = [
  "Basic",
  "Basic ",
  "Basic =",
  "Basic ab=",
  "Basic abc==",
  "Basic abcd==",
  "Basic abcde=",
  "Basic a",
  "Basic !!!!",
  "Basic Og==",
  `Basic ${Buffer.from("no colon").toString("base64")}`,
  `Basic ${Buffer.from(":secret").toString("base64")}`,
  `Basic ${Buffer.from("%:%").toString("base64")}`,
  `Basic ${Buffer.from("%FF%FE:%C0%80").toString("base64")}`,
  `Basic ${Buffer.from([0xff, 0xfe, 0x3a, 0xff]).toString("base64")}`,
  `Basic ${Buffer.from(`a:${"b".repeat(9000)}`).toString("base64")}`,
  // Two header lines, as a proxy joins them; workerd itself drops a connection that sends two.
  "Basic YWI6Y2Q=, Basic YWI6Y2Q=",
  "Bearer m365a.x.y",
  "Digest username=x",
  "nonsense",
];
for (const authorization of ODD_AUTHORIZATIONS) {
  test(`row 21: the header Authorization: ${authorization.slice(0, 40)} is 400 or 401, never 500, and the code lives`, async () => {
    const code = await obtainCode(stack, basic);
    const reply = await redeem(stack, basic, code, { headers: { authorization } });
    assert.ok([400, 401].includes(reply.status), `${reply.status} ${reply.text}`);
    assert.match(String(reply.body.error), /^invalid_(request|client)$/);
    await assertAlive(basic, code);
  });
}

// What a request may look like

test("OA-18: a doubled parameter is invalid_request, and the code lives", async () => {
  const good = (code: ObtainedCode) => ({
    grant_type: "authorization_code",
    code: code.code,
    code_verifier: code.verifier,
    redirect_uri: WEB_REDIRECT,
    resource: stack.url,
  });
  const code = await obtainCode(stack, open);
  for (const [name, value] of Object.entries({ ...good(code), client_id: open.clientId, unknown: "x" })) {
    const reply = await postForm(stack, "/token", open, good(code), { changes: { [name]: [value, value] } });
    assertOAuthError(reply, 400, "invalid_request");
  }
  await assertAlive(open, code);
});

const CONTENT_TYPES = [
  "application/json",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded-not",
  "application/x-www-form-urlencoded, application/x-www-form-urlencoded",
  "nonsense",
  ";",
  "application/x-www-form-urlencoded/x",
];
for (const type of CONTENT_TYPES) {
  test(`row 21 / OA-14: the content type ${JSON.stringify(type)} is 400, never 500`, async () => {
    const code = await obtainCode(stack, open);
    const reply = await redeem(stack, open, code, { headers: { "content-type": type } });
    assertOAuthError(reply, 400, "invalid_request");
    await assertAlive(open, code);
  });
}

test("RFC 6749 Appendix B: the form's own content type is accepted with a charset and in any case", async () => {
  for (const type of ["application/x-www-form-urlencoded; charset=utf-8", "Application/X-WWW-Form-URLEncoded"]) {
    const code = await obtainCode(stack, open);
    tokensOf(await redeem(stack, open, code, { headers: { "content-type": type } }));
  }
});

test("row 21 / OA-14: a JSON body is 400 and names the form", async () => {
  const { code, verifier } = await obtainCode(stack, open);
  const body = JSON.stringify({
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    client_id: open.clientId,
  });
  for (const type of ["application/json", undefined]) {
    const headers: Record<string, string> = type === undefined ? {} : { "content-type": type };
    const reply = await readReply(await fetch(`${stack.url}/token`, { method: "POST", body, headers }));
    assertOAuthError(reply, 400, "invalid_request");
    assert.match(String(reply.body.error_description), /application\/x-www-form-urlencoded/);
  }
});

test("row 21: a doubled Content-Type line is 400, and the code lives", async () => {
  const code = await obtainCode(stack, open);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code: code.code,
    code_verifier: code.verifier,
    client_id: open.clientId,
  }).toString();
  const line = ["Content-Type", "application/x-www-form-urlencoded"];
  assertOAuthError(await postRaw(`${stack.url}/token`, body, [...line, ...line]), 400, "invalid_request");
  await assertAlive(open, code);
});

test("row 21: parameters in the query are not read", async () => {
  const { code, verifier } = await obtainCode(stack, open);
  const query = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    client_id: open.clientId,
  });
  for (const body of ["", "x=1"]) {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await readReply(await fetch(`${stack.url}/token?${query}`, { method: "POST", body, headers }));
    assertOAuthError(reply, 400, "invalid_request");
  }
});

const ODD_BODIES: readonly (readonly [why: string, body: string | Uint8Array<ArrayBuffer>])[] = [
  ["empty", ""],
  ["an ampersand", "&&&&"],
  ["equals signs", "===="],
  ["broken escapes", "grant_type=%&code=%zz"],
  ["bytes that are not UTF-8", Uint8Array.from([0x67, 0xff, 0xfe, 0x3d, 0x31])],
  ["null characters", "grant_type=authorization_code%00"],
  ["names of every object", "__proto__=x&constructor=y&toString=z&hasOwnProperty=1"],
];
for (const [why, body] of ODD_BODIES) {
  test(`row 21: a body of ${why} is 400, never 500`, async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const reply = await readReply(await fetch(`${stack.url}/token`, { method: "POST", body, headers }));
    assert.equal(reply.status, 400, reply.text);
    assert.equal(typeof reply.body.error, "string");
  });
}

test("EP-16: a body over 16 KiB is 413", async () => {
  const code = await obtainCode(stack, open);
  const reply = await redeem(stack, open, code, { changes: { padding: "p".repeat(16_384) } });
  assert.equal(reply.status, 413);
  assert.equal(reply.body.error, "invalid_request");
  await assertAlive(open, code);
});

for (const grant_type of [
  "password",
  "client_credentials",
  "implicit",
  "urn:ietf:params:oauth:grant-type:device_code",
  "urn:ietf:params:oauth:grant-type:token-exchange",
  "Authorization_Code",
  "__proto__",
  "constructor",
]) {
  test(`RFC 6749 §5.2: grant_type ${grant_type} is unsupported_grant_type`, async () => {
    const code = await obtainCode(stack, open);
    assertOAuthError(await redeem(stack, open, code, { changes: { grant_type } }), 400, "unsupported_grant_type");
  });
}

test("RFC 6749 §5.2: a missing grant_type or code is invalid_request", async () => {
  const code = await obtainCode(stack, open);
  assertOAuthError(await redeem(stack, open, code, { changes: { grant_type: undefined } }), 400, "invalid_request");
  assertOAuthError(await redeem(stack, open, code, { changes: { code: undefined } }), 400, "invalid_request");
  assertOAuthError(await redeem(stack, open, code, { changes: { code: "" } }), 400, "invalid_request");
  await assertAlive(open, code);
});

test("OA-14: /token answers POST only, and CORS without credentials", async () => {
  const got = await readReply(await fetch(`${stack.url}/token`));
  assert.equal(got.status, 405);
  const code = await obtainCode(stack, open);
  const reply: Reply = await redeem(stack, open, code, { headers: { origin: "http://localhost:6274" } });
  assert.equal(reply.status, 200);
  assert.ok(["*", "http://localhost:6274"].includes(reply.headers.get("access-control-allow-origin") ?? ""));
  assert.equal(reply.headers.get("access-control-allow-credentials"), null);
});

test("row 31: /token is not limited below 600 a minute from one address", async (t) => {
  const limited = await startStack({ rateLimits: true });
  t.after(() => limited.dispose());
  const client = await registerClient(limited);
  const statuses = new Set<number>();
  for (let count = 0; count < 12; count += 1) {
    const batch = Array.from({ length: 50 }, () =>
      refresh(limited, client, "m365r.x.y", { headers: { "cf-connecting-ip": "203.0.113.9" } }),
    );
    for (const { status } of await Promise.all(batch)) statuses.add(status);
  }
  assert.deepEqual([...statuses], [400]);
});
