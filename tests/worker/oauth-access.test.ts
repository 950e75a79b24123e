// Cloudflare Access in front of the sign-in: rows 37 and 38, AC-01 to AC-05, AC-07 as far as OAuth is concerned.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type AccessSimulator, FORGERY_NAMES, startAccess } from "../../fixtures/access/server.ts";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertErrorLocation, assertToolResult, eventsOf } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  type Reply,
  readReply,
  redeem,
  refresh,
  registerClient,
  revoke,
  signInWith,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

const ADA_OF_ACCESS = { email: ADA.email, sub: "1f0d8b4e-7a52-4c1f-8f3e-ada000000001" };
const BORIS_OF_ACCESS = { email: "boris.lindqvist@contoso.example", sub: "2b7c6a1d-4e90-4f5b-9c2a-b0815000002" };
const HEADER = "cf-access-jwt-assertion";

let access: AccessSimulator;
let stack: Stack;
let client: TestClient;
let bindings: Record<string, string>;
before(async () => {
  access = await startAccess();
  bindings = { CF_ACCESS_TEAM_DOMAIN: new URL(access.issuer).host, CF_ACCESS_AUD: access.audience };
  stack = await startStack({ bindings, hosts: { [access.issuer]: access.origin } });
  client = await registerClient(stack);
});
after(async () => {
  await stack.dispose();
  await access.close();
});

const asAda = async () => ({ [HEADER]: await access.assertion(ADA_OF_ACCESS) });
const asBoris = async () => ({ [HEADER]: await access.assertion(BORIS_OF_ACCESS) });

async function assertDenied(response: Response): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, 403, text.slice(0, 200));
  assert.equal(response.headers.get("location"), null);
  assert.deepEqual(response.headers.getSetCookie(), []);
}

function assertDeniedReply(reply: Reply): void {
  assert.equal(reply.status, 403, reply.text);
  assert.equal(reply.body.error, "access_denied");
  assert.equal(typeof reply.body.requestId, "string");
}

/** Approved under one identity; the browser is about to come back. */
async function startLogin(headers: Record<string, string>) {
  const browser = new Browser();
  const { verifier, challenge } = pkcePair();
  const page = await browser.open(authorizeUrl(stack, client, challenge), headers);
  assert.equal(page.status, 200);
  const fields = { ...readForm(await page.text()), decision: "approve" };
  const posted = await browser.post(`${stack.url}/authorize`, fields, headers);
  assert.equal(posted.status, 302);
  return { browser, verifier, callback: await signIn(posted.headers.get("location") ?? "") };
}

async function signInAs(headers: Record<string, string>) {
  const { browser, verifier, callback } = await startLogin(headers);
  const back = await browser.open(callback, headers);
  const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
  return { code, verifier, ...tokensOf(await redeem(stack, client, { code, verifier })) };
}

for (const path of ["/authorize?client_id=x", "/callback?code=a&state=b", "/", "/info"]) {
  test(`row 37 / AC-05: ${path} without an assertion, or with a forged one, is 403`, async () => {
    const url = `${stack.url}${path}`;
    await assertDenied(await fetch(url, { redirect: "manual" }));
    await assertDenied(await fetch(url, { headers: { [HEADER]: "x.y.z" }, redirect: "manual" }));
    await assertDenied(await fetch(url, { headers: { [HEADER]: "" }, redirect: "manual" }));
    for (const forgery of FORGERY_NAMES) {
      const headers = { [HEADER]: await access.forgedAssertion(forgery, ADA_OF_ACCESS) };
      await assertDenied(await fetch(url, { headers, redirect: "manual" }));
    }
  });
}

test("row 37: a good assertion passes, and the sign-in works as without Access", async () => {
  const { accessToken } = await signInAs(await asAda());
  assertToolResult(await getEmails(stack, accessToken, { headers: await asAda() }));
});

test("row 37: a call with a live token but without an assertion, or with a forged one, is 403", async () => {
  const { accessToken } = await signInAs(await asAda());
  assertDeniedReply(await getEmails(stack, accessToken));
  for (const forgery of FORGERY_NAMES) {
    const headers = { [HEADER]: await access.forgedAssertion(forgery, ADA_OF_ACCESS) };
    assertDeniedReply(await getEmails(stack, accessToken, { headers }));
  }
});

test("AC-02: headers that merely name somebody prove nothing", async () => {
  const named = {
    "cf-access-authenticated-user-email": ADA.email,
    "x-forwarded-email": ADA.email,
    cookie: `CF_Authorization=${await access.assertion(ADA_OF_ACCESS)}`,
  };
  await assertDenied(
    await fetch(authorizeUrl(stack, client, pkcePair().challenge), { headers: named, redirect: "manual" }),
  );
});

test("row 38 / AC-07: another identity at /callback than at the approval is 403, and the login is over", async () => {
  const { browser, callback } = await startLogin(await asAda());
  const answer = await browser.open(callback, await asBoris());
  await answer.body?.cancel();
  assert.equal(answer.status, 403);
  assert.equal(answer.headers.get("location"), null);
  const again = await browser.open(callback, await asAda());
  await again.body?.cancel();
  assert.ok(again.status >= 400 && again.headers.get("location") === null);
});

test("row 38 / AC-07: another identity with the grant's token is 403", async () => {
  const { accessToken } = await signInAs(await asAda());
  const refused = await getEmails(stack, accessToken, { headers: await asBoris() });
  assert.equal(refused.status, 403, refused.text);
  assertToolResult(await getEmails(stack, accessToken, { headers: await asAda() }));
});

test("AC-07: the address of Access need not be the one of the Microsoft account", async () => {
  const { accessToken } = await signInAs(await asBoris());
  assertToolResult(await getEmails(stack, accessToken, { headers: await asBoris() }));
});

test("AC-05: /token, /register, /revoke, metadata and /health need no assertion, but refuse a bad one", async () => {
  const { refreshToken } = await signInAs(await asAda());
  const { refreshToken: next } = tokensOf(await refresh(stack, client, refreshToken));
  const forged = { [HEADER]: await access.forgedAssertion("foreign-key", ADA_OF_ACCESS) };
  assertDeniedReply(await refresh(stack, client, next, { headers: forged }));
  tokensOf(await refresh(stack, client, next));
  for (const path of ["/.well-known/oauth-authorization-server", "/health"]) {
    assert.equal((await readReply(await fetch(`${stack.url}${path}`))).status, 200);
    assertDeniedReply(await readReply(await fetch(`${stack.url}${path}`, { headers: forged })));
  }
});

test("AC-07: a grant made before Access was on is 401 once it is required", async (t) => {
  const later = await startStack({ hosts: { [access.issuer]: access.origin } });
  t.after(() => later.dispose());
  const { accessToken } = await signInWith(later, await registerClient(later));
  assertToolResult(await getEmails(later, accessToken));
  await later.restart(bindings);
  assert.equal((await getEmails(later, accessToken, { headers: await asAda() })).status, 401);
});

test("AC-05: CF_ACCESS_PROTECT=browser lets calls pass and keeps the sign-in behind Access", async (t) => {
  const browserOnly = await startStack({
    bindings: { ...bindings, CF_ACCESS_PROTECT: "browser" },
    hosts: { [access.issuer]: access.origin },
  });
  t.after(() => browserOnly.dispose());
  await assertDenied(await fetch(`${browserOnly.url}/authorize?client_id=x`, { redirect: "manual" }));
  assert.equal((await getEmails(browserOnly)).status, 401);
});

test("D-20: one of the two variables alone is a configuration error, never an open door", async (t) => {
  for (const name of ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"] as const) {
    const half = await startStack({ bindings: { [name]: bindings[name] } });
    t.after(() => half.dispose());
    const answer = await fetch(`${half.url}/authorize?client_id=x`, { redirect: "manual" });
    assert.equal(answer.status, 503);
    await answer.body?.cancel();
  }
});

test("LG-07: each line of the audit says which client, where it is sent back to, for what, and who passed Access", async () => {
  const headers = await asAda();
  const { accessToken, refreshToken } = await signInAs(headers);
  for (const token of [accessToken, refreshToken]) assert.equal((await revoke(stack, client, token)).status, 200);
  const browser = new Browser();
  const page = await browser.open(authorizeUrl(stack, client, pkcePair().challenge), headers);
  const denied = { ...readForm(await page.text()), decision: "deny" };
  assert.equal((await browser.post(`${stack.url}/authorize`, denied, headers)).status, 302);
  const accessIdentity = `${access.issuer}|${ADA_OF_ACCESS.sub}`;
  for (const [message, userId] of [
    ["OAuth grant approved", undefined],
    ["OAuth sign-in completed", ADA.oid],
    ["OAuth token revoked", ADA.oid],
    ["OAuth grant ended", ADA.oid],
    ["OAuth grant denied", undefined],
  ] as const) {
    const line = (await eventsOf(stack, message)).at(-1);
    assert.ok(line, message);
    const { scopes, ...metadata } = line.metadata as { readonly scopes: readonly string[] };
    assert.deepEqual(
      [line.userId, metadata],
      [userId, { clientId: client.clientId, redirectHost: new URL(WEB_REDIRECT).host, accessIdentity }],
      message,
    );
    assert.ok(scopes.includes("Mail.Read"), message);
  }
});

test("EN-03 with Access: a cancelled sign-in still reaches the client", async () => {
  const headers = await asAda();
  const browser = new Browser();
  const page = await browser.open(authorizeUrl(stack, client, pkcePair().challenge), headers);
  const fields = { ...readForm(await page.text()), decision: "approve" };
  const posted = await browser.post(`${stack.url}/authorize`, fields, headers);
  const back = await browser.open(await signIn(posted.headers.get("location") ?? "", { cancel: true }), headers);
  const expected = { redirectUri: WEB_REDIRECT, error: "access_denied", state: "state-of-the-client", iss: stack.url };
  assertErrorLocation(back.headers.get("location"), expected);
});
