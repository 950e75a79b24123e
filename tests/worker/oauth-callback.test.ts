// The way back from Entra: OA-15, EN-02, EN-03, EN-07, D-22, rows 3, 5, 9 and 36.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { approve, Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import type { JwtClaims, JwtSigner } from "../../fixtures/entra/key-ring.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { ADA, BORIS, MALLORY, OTHER_TENANT_ID, TENANT_ID } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertErrorLocation, assertPage, assertToolResult, eventsOf, storageOf } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  type Changes,
  getEmails,
  obtainCode,
  redeem,
  registerClient,
  signInWith,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

let stack: Stack;
let client: TestClient;
before(async () => {
  stack = await startStack();
  client = await registerClient(stack);
});
after(() => stack.dispose());
afterEach(() => {
  const { entra } = stack;
  entra.failure = undefined;
  entra.nextTokenAnswers = [];
  entra.idTokenClaims = undefined;
  entra.idTokenSigner = "current";
  entra.consentDenied = false;
  entra.grantScopes = undefined;
  entra.hop = false;
  entra.delayMs = 0;
});

interface PendingLogin {
  readonly browser: Browser;
  readonly entraUrl: string;
  readonly state: string;
  readonly verifier: string;
  readonly cookieName: string;
}

/** Approved: the browser is about to open Entra. */
async function startLogin(browser = new Browser(), changes: Changes = {}): Promise<PendingLogin> {
  const { verifier, challenge } = pkcePair();
  const page = await browser.open(authorizeUrl(stack, client, challenge, changes));
  const fields = { ...readForm(await page.text()), decision: "approve" };
  const posted = await browser.post(`${stack.url}/authorize`, fields);
  const entraUrl = posted.headers.get("location") ?? "";
  const state = new URL(entraUrl).searchParams.get("state") ?? "";
  const [, gid = ""] = state.split(".");
  return { browser, entraUrl, state, verifier, cookieName: `m365-login-${gid.slice(0, 8)}` };
}

const clientHears = (error: string) => ({
  redirectUri: WEB_REDIRECT,
  error,
  state: "state-of-the-client",
  iss: stack.url,
});

/** The login ended: nobody gets in with what is left of it, and nothing remains that belongs to a grant. */
async function assertOver({ browser, state }: PendingLogin): Promise<void> {
  await assertPage(await browser.open(`${stack.url}/callback?code=again&state=${state}`), 400);
}

async function failsWith(error: string, changes: Changes = {}): Promise<void> {
  const login = await startLogin(new Browser(), changes);
  const grants = (await stack.kv()).filter(({ key }) => key.startsWith("user:")).length;
  const completed = (await eventsOf(stack, "OAuth sign-in completed")).length;
  const back = await login.browser.open(await signIn(login.entraUrl));
  assertErrorLocation(back.headers.get("location"), clientHears(error));
  await assertOver(login);
  assert.equal((await eventsOf(stack, "OAuth sign-in completed")).length, completed);
  assert.equal((await stack.kv()).filter(({ key }) => key.startsWith("user:")).length, grants);
}

// States that are not ours

test("D-22 / DX-13: /callback?code=test&state=test is a 400 page with a request id", async () => {
  await assertPage(await fetch(`${stack.url}/callback?code=test&state=test`, { redirect: "manual" }), 400);
});

test("row 3: a hand-made state is a 400 page, and creates nothing", async () => {
  const { state } = await startLogin();
  const stored = await storageOf(stack);
  const request = { clientId: client.clientId, redirectUri: WEB_REDIRECT, scope: ["Mail.Read"], state: "x" };
  const base64 = Buffer.from(JSON.stringify(request)).toString("base64");
  const [, gid = "", secret = ""] = state.split(".");
  const flip = (text: string, at: number) => `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
  const forged = [
    base64,
    Buffer.from(JSON.stringify(request)).toString("base64url"),
    JSON.stringify(request),
    `m365s.${"A".repeat(22)}.${"A".repeat(59)}`,
    `m365s.${gid}.${"A".repeat(59)}`,
    `m365s.${"A".repeat(22)}.${secret}`,
    `m365s.${flip(gid, 3)}.${secret}`,
    `m365c.${gid}.${secret}`,
    `m365a.${gid}.${secret}`,
    `m365s.${gid}.${secret}.`,
    `m365s.${gid}.${secret}A`,
    `m365s.${gid}`,
    ...Array.from({ length: secret.length - 1 }, (_, at) => `m365s.${gid}.${flip(secret, at)}`),
    "../../etc/passwd",
    "\u0000",
    "a".repeat(10_000),
    "",
  ];
  for (const text of forged) {
    const answer = await new Browser().open(`${stack.url}/callback?code=test&state=${encodeURIComponent(text)}`);
    await assertPage(answer, 400);
  }
  assert.deepEqual(await storageOf(stack), stored);
});

test("D-22: every shape of an incomplete answer is a 400 page, never 500", async () => {
  const { state, browser } = await startLogin();
  const queries = [
    "",
    "code=x",
    "state=x",
    `state=${state}`,
    `state=${state}&code=`,
    `state=${state}&code=a&error=b`,
    `state=${state}&code=${"c".repeat(9000)}`,
    "error=access_denied",
    "error=access_denied&state=x",
    "code=%00&state=%FF%FE",
  ];
  for (const query of queries) await assertPage(await browser.open(`${stack.url}/callback?${query}`), 400);
});

test("OA-18: a repeated parameter at /callback is a 400 page", async () => {
  const { state, browser } = await startLogin();
  const queries = [
    `state=${state}&state=${state}&code=x`,
    `state=${state}&code=x&code=y`,
    `state=${state}&error=a&error=a`,
  ];
  for (const query of queries) await assertPage(await browser.open(`${stack.url}/callback?${query}`), 400);
});

test("OA-18: a refused doubled answer leaves the login for the real one", async () => {
  const login = await startLogin();
  await assertPage(await login.browser.open(`${stack.url}/callback?state=${login.state}&code=x&code=y`), 400);
  const back = await login.browser.open(await signIn(login.entraUrl));
  assert.ok(new URL(back.headers.get("location") ?? "").searchParams.has("code"));
});

// The browser that approved

test("row 5 / OA-15: the address of Entra, opened in another browser, ends on a 400 page", async () => {
  const { entraUrl } = await startLogin();
  await assertPage(await new Browser().open(await signIn(entraUrl)), 400);
});

test("row 5: a second browser with a login of its own is another browser all the same", async () => {
  const victim = new Browser();
  await startLogin(victim);
  const attacker = await startLogin();
  await assertPage(await victim.open(await signIn(attacker.entraUrl)), 400);
});

test("row 5: the browser that approved may still complete, after somebody else tried", async () => {
  const login = await startLogin();
  const callback = await signIn(login.entraUrl);
  await assertPage(await new Browser().open(callback), 400);
  const back = await login.browser.open(callback);
  const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
  assertToolResult(await getEmails(stack, tokensOf(await redeem(stack, client, { code, ...login })).accessToken));
});

test("row 9: the consent cookie alone does not complete a login", async () => {
  const login = await startLogin();
  const callback = await signIn(login.entraUrl);
  const formCookie = login.browser
    .cookies(stack.url)
    .split("; ")
    .find((pair) => pair.startsWith("m365-form="));
  assert.ok(formCookie !== undefined);
  await assertPage(await new Browser().open(callback, { cookie: formCookie }), 400);
});

test("OA-15: the cookie of one login does not complete another of the same browser", async () => {
  const browser = new Browser();
  const [first, second] = [await startLogin(browser), await startLogin(browser)];
  const cookieValue = (name: string) =>
    browser
      .cookies(stack.url)
      .split("; ")
      .find((pair) => pair.startsWith(`${name}=`))
      ?.split("=")[1] ?? "";
  const swapped = `${first.cookieName}=${cookieValue(second.cookieName)}`;
  await assertPage(await new Browser().open(await signIn(first.entraUrl), { cookie: swapped }), 400);
});

test("AP-03: two logins of one browser do not disturb each other", async () => {
  const browser = new Browser();
  const logins = [await startLogin(browser), await startLogin(browser)];
  for (const { entraUrl } of logins) {
    const back = await browser.open(await signIn(entraUrl));
    assert.ok(new URL(back.headers.get("location") ?? "").searchParams.has("code"));
  }
});

test("row 5: nine wrong cookies leave the login alive, the tenth ends it", async () => {
  for (const [attempts, isAlive] of [
    [9, true],
    [10, false],
  ] as const) {
    const login = await startLogin();
    const callback = await signIn(login.entraUrl);
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const cookie = `${login.cookieName}=${"A".repeat(42)}${attempt}`;
      await assertPage(await new Browser().open(callback, { cookie }), 400);
    }
    const back = await login.browser.open(callback);
    assert.equal(back.status, isAlive ? 302 : 400, `after ${attempts}`);
    await back.body?.cancel();
  }
});

test("OA-15: a state is used once; the second callback is a 400 page and the code of the first lives", async () => {
  const login = await startLogin();
  const callback = await signIn(login.entraUrl);
  const cookie = login.browser.cookies(stack.url);
  const first = await login.browser.open(callback);
  const code = new URL(first.headers.get("location") ?? "").searchParams.get("code") ?? "";
  await assertPage(await login.browser.open(callback, { cookie }), 400);
  tokensOf(await redeem(stack, client, { code, ...login }));
});

test("OA-15: of 12 parallel callbacks exactly one redirects, and Entra's code is redeemed once", async () => {
  for (let round = 0; round < 5; round += 1) {
    const login = await startLogin();
    const callback = await signIn(login.entraUrl);
    const cookie = login.browser.cookies(stack.url);
    stack.entra.delayMs = 60;
    const redeemed = stack.entra.redeemedCodes.length;
    const answers = await Promise.all(Array.from({ length: 12 }, () => new Browser().open(callback, { cookie })));
    stack.entra.delayMs = 0;
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [302, ...Array.from({ length: 11 }, () => 400)]);
    assert.equal(stack.entra.redeemedCodes.length, redeemed + 1);
    const code =
      new URL(answers.find(({ status }) => status === 302)?.headers.get("location") ?? "").searchParams.get("code") ??
      "";
    tokensOf(await redeem(stack, client, { code, ...login }));
  }
});

test("OA-15: the login cookie is taken away when the login is done", async () => {
  const login = await startLogin();
  const back = await login.browser.open(await signIn(login.entraUrl));
  assert.ok(
    back.headers.getSetCookie().some((line) => line.startsWith(`${login.cookieName}=;`) && line.includes("Max-Age=0")),
  );
  assert.ok(!login.browser.cookies(stack.url).includes(login.cookieName));
});

// What Entra says

test("EN-03 / row 36: Cancel at Entra is access_denied at the client, and no grant", async () => {
  const login = await startLogin();
  const back = await login.browser.open(await signIn(login.entraUrl, { cancel: true }));
  assertErrorLocation(back.headers.get("location"), clientHears("access_denied"));
  await assertOver(login);
});

test("EN-03 / row 36: consent declined at Entra is access_denied at the client, and no grant", async () => {
  stack.entra.consentDenied = true;
  await failsWith("access_denied");
});

test("EN-03: error=access_denied with an invalid state, or from another browser, is a 400 page", async () => {
  const { state } = await startLogin();
  for (const text of ["x", `${state.slice(0, -1)}A`, state]) {
    await assertPage(await new Browser().open(`${stack.url}/callback?error=access_denied&state=${text}`), 400);
  }
});

const ENTRA_ERRORS: readonly (readonly [string, string])[] = [
  ["access_denied", "access_denied"],
  ["consent_required", "access_denied"],
  ["server_error", "server_error"],
  ["temporarily_unavailable", "temporarily_unavailable"],
  ["invalid_request", "server_error"],
  ["unauthorized_client", "server_error"],
  ["<script>alert(1)</script>", "server_error"],
];
for (const [entraError, ours] of ENTRA_ERRORS) {
  test(`EN-02 / RFC 6749 §4.1.2.1: Entra's ${entraError} is ${ours} at the client, without Entra's words`, async () => {
    const login = await startLogin();
    const words = "AADSTS99999: something about ada.novak@contoso.example";
    const query = new URLSearchParams({ error: entraError, error_description: words, state: login.state });
    const back = await login.browser.open(`${stack.url}/callback?${query}`);
    const location = back.headers.get("location") ?? "";
    assertErrorLocation(location, clientHears(ours));
    assert.ok(!/AADSTS|ada\.novak|alert/.test(location));
    await assertOver(login);
  });
}

const TOKEN_FAILURES = [
  ["invalid_grant", "access_denied"],
  ["interaction_required", "access_denied"],
  ["invalid_client", "server_error"],
  ["throttled", "temporarily_unavailable"],
  ["unavailable", "temporarily_unavailable"],
] as const;
for (const [failure, ours] of TOKEN_FAILURES) {
  test(`EN-02: when the token endpoint answers ${failure}, the client hears ${ours}, and there is no grant`, async () => {
    stack.entra.failure = failure;
    await failsWith(ours);
  });
}

test("EN-02: an expired secret of ours is the operator's: an ERROR line, and nothing of it at the client", async () => {
  stack.entra.failure = "invalid_client";
  await failsWith("server_error");
  const [event] = await eventsOf(stack, "Authentication of this server at Microsoft failed");
  assert.equal(event?.level, "ERROR");
  assert.ok(!JSON.stringify(event).includes(stack.bindings.MICROSOFT_CLIENT_SECRET ?? "?"));
});

const ODD_ANSWERS: readonly (readonly [why: string, answer: { status: number; html?: string; body?: unknown }])[] = [
  ["HTML with 200", { status: 200, html: "<html>hello</html>" }],
  ["200 without a token", { status: 200, body: { token_type: "Bearer" } }],
  ["200 with an empty body", { status: 200, html: "" }],
  ["200 with a list", { status: 200, body: [] }],
  ["200 with negative lifetimes", { status: 200, body: { access_token: "x", expires_in: -1, scope: "Mail.Read" } }],
  ["200 without an id_token", { status: 200, body: { access_token: "x", expires_in: 3600, scope: "Mail.Read" } }],
  [
    "200 with an id_token that is none",
    { status: 200, body: { access_token: "x", expires_in: 3600, scope: "Mail.Read", id_token: "a.b.c" } },
  ],
  ["400 with HTML", { status: 400, html: "<html>Bad Request</html>" }],
  ["400 with another error", { status: 400, body: { error: "unsupported_grant_type" } }],
  ["401", { status: 401, body: { error: "invalid_client" } }],
  ["404", { status: 404, html: "" }],
  ["429 with HTML", { status: 429, html: "slow down" }],
  ["500", { status: 500, body: { error: "server_error" } }],
  ["502", { status: 502, html: "" }],
  ["504", { status: 504, html: "" }],
  ["a redirect", { status: 302, html: "" }],
];
for (const [why, answer] of ODD_ANSWERS) {
  test(`EN-02: when the token endpoint answers ${why}, the client hears an error, and there is no grant`, async () => {
    stack.entra.nextTokenAnswers = [answer];
    const login = await startLogin();
    const back = await login.browser.open(await signIn(login.entraUrl));
    const error = new URL(back.headers.get("location") ?? "").searchParams.get("error") ?? "";
    const isRetryable = answer.status === 429 || answer.status >= 500;
    const allowed = isRetryable
      ? ["temporarily_unavailable"]
      : ["access_denied", "server_error", "temporarily_unavailable"];
    assert.ok(allowed.includes(error), error);
    assertErrorLocation(back.headers.get("location"), clientHears(error));
    await assertOver(login);
  });
}

test("RL-04 / EN-02: when Entra never answers, the client hears temporarily_unavailable within 10 s or so", async () => {
  stack.entra.failure = "hang";
  const startedMs = Date.now();
  await failsWith("temporarily_unavailable");
  assert.ok(Date.now() - startedMs < 14_000);
});

// Who it is

const FORGED_CLAIMS: readonly (readonly [why: string, change: JwtClaims])[] = [
  ["another tenant", { tid: OTHER_TENANT_ID }],
  ["another tenant and its issuer", { tid: OTHER_TENANT_ID, iss: "{authority}/{other}/v2.0" }],
  ["no tenant", { tid: undefined }],
  ["a tenant that is no GUID", { tid: "contoso.example" }],
  ["the audience of another application", { aud: "00000003-0000-0000-c000-000000000000" }],
  ["no audience", { aud: undefined }],
  ["another nonce", { nonce: "another-nonce" }],
  ["no nonce", { nonce: undefined }],
  ["an empty nonce", { nonce: "" }],
  ["another issuer", { iss: "https://evil.example/v2.0" }],
  ["the issuer of another tenant", { iss: "{authority}/{other}/v2.0" }],
  ["the issuer of v1.0", { iss: `https://sts.windows.net/${TENANT_ID}/` }],
  ["the issuer with a slash too many", { iss: "{authority}/{tenant}/v2.0/" }],
  ["no issuer", { iss: undefined }],
  ["an expiry an hour ago", { exp: Math.floor(Date.now() / 1000) - 3600 }],
  ["no expiry", { exp: undefined }],
  ["an expiry that is a text", { exp: "tomorrow" }],
  ["a beginning in an hour", { nbf: Math.floor(Date.now() / 1000) + 3600 }],
  ["no oid", { oid: undefined }],
  ["an empty oid", { oid: "" }],
  ["an oid that is no GUID", { oid: "ada" }],
  ["an oid that is a list", { oid: [ADA.oid, BORIS.oid] }],
];
for (const [why, change] of FORGED_CLAIMS) {
  test(`row 36 / OpenID Connect Core §3.1.3.7: an id_token with ${why} makes no grant`, async () => {
    const spell = (value: unknown) =>
      typeof value === "string"
        ? value
            .replace("{authority}", stack.entra.origin)
            .replace("{other}", OTHER_TENANT_ID)
            .replace("{tenant}", TENANT_ID)
        : value;
    stack.entra.idTokenClaims = (claims) => ({
      ...claims,
      ...Object.fromEntries(Object.entries(change).map(([name, value]) => [name, spell(value)])),
    });
    await failsWith("access_denied");
  });
}

for (const signer of ["foreign-key", "none", "hs256"] as const satisfies readonly JwtSigner[]) {
  test(`row 36 / RFC 8725: an id_token signed by ${signer} makes no grant`, async () => {
    stack.entra.idTokenSigner = signer;
    await failsWith("access_denied");
  });
}

test("EN-07: an id_token signed by the previous published key is good", async () => {
  stack.entra.idTokenSigner = "previous";
  assertToolResult(await getEmails(stack, (await signInWith(stack, client)).accessToken));
});

test("EN-07 / row 36: somebody of another organisation gets no grant", async () => {
  const login = await startLogin();
  const back = await signIn(login.entraUrl, { email: MALLORY.email }).then(
    (callback) => login.browser.open(callback),
    () => undefined,
  );
  // Entra itself may refuse; when it lets them through, we do not.
  if (back !== undefined) assertErrorLocation(back.headers.get("location"), clientHears("access_denied"));
  assert.equal(
    (await eventsOf(stack, "OAuth sign-in completed")).some((event) => event.userId === MALLORY.oid),
    false,
  );
});

test("EN-07: another tenant in the id_token of a person whom Entra let through makes no grant", async () => {
  stack.entra.idTokenClaims = (claims) => ({
    ...claims,
    tid: MALLORY.tid,
    oid: MALLORY.oid,
    iss: `${stack.entra.origin}/${MALLORY.tid}/v2.0`,
  });
  await failsWith("access_denied");
});

test("EN-07: the gateway sees the person of the id_token", async () => {
  const { accessToken } = await signInWith(stack, client, { email: BORIS.email });
  assertToolResult(await getEmails(stack, accessToken));
  const userIds = stack.gateway.log.map(({ metadata }) => metadata.userId);
  assert.equal(userIds.at(-1), BORIS.oid);
});

test("OA-11 / EN-02: the granted set is what was asked and Entra returned", async () => {
  stack.entra.grantScopes = (asked) => asked.filter((scope) => !scope.endsWith("Mail.Send"));
  const { scope } = await signInWith(stack, client, { authorize: { scope: "Mail.Read Mail.Send" } });
  assert.equal(scope, "Mail.Read");
});

test("OA-11: Entra cannot widen what the person approved", async () => {
  stack.entra.grantScopes = (asked) => [...asked, "Mail.Send"];
  const { scope } = await signInWith(stack, client, { authorize: { scope: "Mail.Read" } });
  assert.equal(scope, "Mail.Read");
});

test("OA-11: nothing granted is access_denied, and no grant", async () => {
  stack.entra.grantScopes = (asked) => asked.filter((scope) => !scope.includes("Mail."));
  await failsWith("access_denied", { scope: "Mail.Read Mail.Send" });
});

test("EN-01 / AP-05: a sign-in that hops through a federated identity provider completes", async () => {
  stack.entra.hop = true;
  assertToolResult(await getEmails(stack, (await signInWith(stack, client)).accessToken));
});

test("EN-02: our code comes about after the Microsoft code was exchanged, with secret and verifier, by form", async () => {
  const before = stack.entra.requests.length;
  await signInWith(stack, client);
  const exchanges = stack.entra.requests.slice(before).filter(({ path }) => path.endsWith("/token"));
  assert.equal(exchanges.length, 1);
  const [exchange] = exchanges;
  assert.equal(exchange?.method, "POST");
  assert.equal(exchange?.form.grant_type, "authorization_code");
  assert.equal(exchange?.form.redirect_uri, `${stack.url}/callback`);
  assert.match(exchange?.form.code_verifier ?? "", /^[A-Za-z0-9._~-]{43,128}$/);
  assert.ok(!("resource" in (exchange?.form ?? {})), "OA-16: never forwarded");
});

test("OA-05: /callback answers GET only", async () => {
  const answer = await fetch(`${stack.url}/callback`, {
    method: "POST",
    body: new URLSearchParams({ code: "a", state: "b" }),
  });
  await answer.body?.cancel();
  assert.equal(answer.status, 405);
});

test("row 3: no answer of /callback leads to an address that was not registered", async () => {
  const { browser, state } = await startLogin();
  const query = new URLSearchParams({
    error: "access_denied",
    state,
    redirect_uri: "https://evil.example/",
    iss: "https://evil.example",
  });
  const back = await browser.open(`${stack.url}/callback?${query}`);
  assertErrorLocation(back.headers.get("location"), clientHears("access_denied"));
});

for (const tenant of ["organizations", "common"]) {
  test(`D-27 / EN-07: with the tenant ${tenant} every organisation may sign in, each under its own issuer only`, async (t) => {
    const many = await startStack({ bindings: { MICROSOFT_TENANT_ID: tenant } });
    t.after(() => many.dispose());
    const asking = await registerClient(many);
    for (const { email } of [ADA, MALLORY])
      tokensOf(await redeem(many, asking, await obtainCode(many, asking, { email })));
    many.entra.idTokenClaims = (claims) => ({ ...claims, iss: `${many.entra.origin}/${OTHER_TENANT_ID}/v2.0` });
    const location = await approve(new Browser(), authorizeUrl(many, asking, pkcePair().challenge));
    assertErrorLocation(location.href, { ...clientHears("access_denied"), iss: many.url });
  });
}

test("EN-07: a domain name as tenant is a configuration error that names the variable", async (t) => {
  const named = await startStack({ bindings: { MICROSOFT_TENANT_ID: "contoso.example" } });
  t.after(() => named.dispose());
  for (const path of ["/authorize?client_id=x", "/callback?code=a&state=b"]) {
    const answer = await fetch(`${named.url}${path}`, { redirect: "manual" });
    assert.equal(answer.status, 503);
    assert.match(await answer.text(), /MICROSOFT_TENANT_ID/);
  }
});
