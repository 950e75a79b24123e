// New keys without downtime: KR-01, D-07, AP-07, section 6 of the storage design.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import {
  assertOAuthError,
  assertPage,
  assertToolResult,
  assertUnauthorized,
  eventually,
} from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  type ObtainedCode,
  obtainCode,
  redeem,
  refresh,
  registerClient,
  rpc,
  type Session,
  signInWith,
  type TestClient,
  tokensOf,
} from "../support/oauth-client.ts";

let stack: Stack;
let client: TestClient;

const freshHex = () => randomBytes(32).toString("hex");

/** What was begun under the old keys. */
interface Begun {
  readonly session: Session;
  readonly refreshed: { readonly session: Session; readonly successor: string };
  readonly code: ObtainedCode & { readonly client: TestClient };
  readonly form: { readonly browser: Browser; readonly fields: Record<string, string>; readonly verifier: string };
  readonly login: { readonly browser: Browser; readonly entraUrl: string; readonly verifier: string };
  readonly approved: { readonly browser: Browser; readonly url: string };
}

async function openForm() {
  const browser = new Browser();
  const { verifier, challenge } = pkcePair();
  const page = await browser.open(authorizeUrl(stack, client, challenge));
  return { browser, verifier, fields: { ...readForm(await page.text()), decision: "approve" } };
}

async function beginAll(): Promise<Begun> {
  client = await registerClient(stack);
  const lost = await signInWith(stack, await registerClient(stack));
  const successor = tokensOf(await refresh(stack, lost.client, lost.refreshToken)).refreshToken;
  const waiting = await registerClient(stack);
  const started = await openForm();
  const posted = await started.browser.post(`${stack.url}/authorize`, started.fields);
  const known = new Browser();
  const approving = await registerClient(stack);
  await signInWith(stack, approving, { browser: known });
  return {
    session: await signInWith(stack, await registerClient(stack)),
    refreshed: { session: lost, successor },
    code: { ...(await obtainCode(stack, waiting)), client: waiting },
    form: await openForm(),
    login: { ...started, entraUrl: posted.headers.get("location") ?? "" },
    approved: { browser: known, url: authorizeUrl(stack, approving, pkcePair().challenge) },
  };
}

const isContinuePage = (text: string) => /approved this before/i.test(text);

/** All three keys are new, the old ones are the previous ones. */
async function rotate(): Promise<void> {
  const { ENCRYPTION_KEY, COOKIE_ENCRYPTION_KEY, COOKIE_SECRET } = stack.bindings;
  await stack.restart({
    ENCRYPTION_KEY: freshHex(),
    ENCRYPTION_KEY_PREVIOUS: ENCRYPTION_KEY,
    COOKIE_ENCRYPTION_KEY: freshHex(),
    COOKIE_ENCRYPTION_KEY_PREVIOUS: COOKIE_ENCRYPTION_KEY,
    COOKIE_SECRET: randomBytes(36).toString("base64url"),
    COOKIE_SECRET_PREVIOUS: COOKIE_SECRET,
  });
}

const withoutPrevious = {
  ENCRYPTION_KEY_PREVIOUS: undefined,
  COOKIE_ENCRYPTION_KEY_PREVIOUS: undefined,
  COOKIE_SECRET_PREVIOUS: undefined,
};

before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

test("KR-01: with the old keys as previous ones, everything begun before goes on", async (t) => {
  const begun = await beginAll();
  await rotate();

  await t.test("access tokens work", async () => {
    assertToolResult(await getEmails(stack, begun.session.accessToken));
    assert.equal((await rpc(stack, "tools/list", {}, { token: begun.session.accessToken })).status, 200);
  });
  await t.test("refresh tokens work, and what they give works", async () => {
    const { client: owner, refreshToken } = begun.session;
    const renewed = tokensOf(await refresh(stack, owner, refreshToken));
    assertToolResult(await getEmails(stack, renewed.accessToken));
    tokensOf(await refresh(stack, owner, renewed.refreshToken));
  });
  await t.test("a lost answer of before may be asked for again", async () => {
    const { session, successor } = begun.refreshed;
    assert.equal(tokensOf(await refresh(stack, session.client, session.refreshToken)).refreshToken, successor);
  });
  await t.test("a code of before is redeemed", async () => {
    assertToolResult(await getEmails(stack, tokensOf(await redeem(stack, begun.code.client, begun.code)).accessToken));
  });
  await t.test("an open form is posted", async () => {
    const { browser, fields, verifier } = begun.form;
    const posted = await browser.post(`${stack.url}/authorize`, fields);
    assert.equal(posted.status, 302);
    const back = await browser.open(await signIn(posted.headers.get("location") ?? ""));
    const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
    tokensOf(await redeem(stack, client, { code, verifier }));
  });
  await t.test("a login at Entra comes back", async () => {
    const { browser, entraUrl, verifier } = begun.login;
    const back = await browser.open(await signIn(entraUrl));
    const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
    tokensOf(await redeem(stack, client, { code, verifier }));
  });
  await t.test("AP-07: a remembered approval still opens, and the cookie is issued anew", async () => {
    const { browser, url } = begun.approved;
    const before = browser.cookies(stack.url);
    const page = await browser.open(url);
    const text = await page.text();
    assert.ok(isContinuePage(text));
    await browser.post(`${stack.url}/authorize`, { ...readForm(text), decision: "approve" });
    const cookieOf = (cookies: string) => /m365-approvals=([^;]*)/.exec(cookies)?.[1];
    assert.notEqual(cookieOf(browser.cookies(stack.url)), cookieOf(before));
  });
});

test("KR-01: what was used while both keys were known outlives the old one", async () => {
  const begun = await beginAll();
  await rotate();
  const { client: owner } = begun.session;
  const renewed = tokensOf(await refresh(stack, owner, begun.session.refreshToken));
  assertToolResult(await getEmails(stack, renewed.accessToken));
  const { browser, url } = begun.approved;
  const shown = readForm(await (await browser.open(url)).text());
  await browser.post(`${stack.url}/authorize`, { ...shown, decision: "approve" });
  await stack.restart(withoutPrevious);
  assertToolResult(await getEmails(stack, renewed.accessToken));
  tokensOf(await refresh(stack, owner, renewed.refreshToken));
  assert.ok(isContinuePage(await (await browser.open(url)).text()));
});

test("KR-01: with the new keys alone everything begun before is over, and nothing is 500", async (t) => {
  const begun = await beginAll();
  await stack.restart({
    ...withoutPrevious,
    ENCRYPTION_KEY: freshHex(),
    COOKIE_ENCRYPTION_KEY: freshHex(),
    COOKIE_SECRET: randomBytes(36).toString("base64url"),
  });

  await t.test("access tokens are 401", async () => {
    assertUnauthorized(await getEmails(stack, begun.session.accessToken));
    assertUnauthorized(await rpc(stack, "tools/list", {}, { token: begun.session.accessToken }));
  });
  await t.test("refresh tokens and codes are invalid_grant", async () => {
    const { client: owner, refreshToken } = begun.session;
    assertOAuthError(await refresh(stack, owner, refreshToken), 400, "invalid_grant");
    assertOAuthError(await redeem(stack, begun.code.client, begun.code), 400, "invalid_grant");
  });
  await t.test("an open form is 403", async () => {
    const { browser, fields } = begun.form;
    await assertPage(await browser.post(`${stack.url}/authorize`, fields), 403);
  });
  await t.test("a login at Entra is a 400 page", async () => {
    const { browser, entraUrl } = begun.login;
    await assertPage(await browser.open(await signIn(entraUrl)), 400);
  });
  await t.test("a remembered approval is forgotten: the full page", async () => {
    const { browser, url } = begun.approved;
    const page = await browser.open(url);
    assert.equal(page.status, 200);
    assert.ok(!isContinuePage(await page.text()));
  });
  await t.test("registrations stay, and signing in anew works", async () => {
    assertToolResult(await getEmails(stack, (await signInWith(stack, begun.session.client)).accessToken));
  });
});

test("KR-01: each key rotates alone", async () => {
  for (const name of ["ENCRYPTION_KEY", "COOKIE_ENCRYPTION_KEY", "COOKIE_SECRET"] as const) {
    const begun = await beginAll();
    await stack.restart({ ...withoutPrevious, [name]: freshHex(), [`${name}_PREVIOUS`]: stack.bindings[name] });
    assertToolResult(await getEmails(stack, begun.session.accessToken));
    tokensOf(await refresh(stack, begun.session.client, begun.session.refreshToken));
    const { browser, fields } = begun.form;
    assert.equal((await browser.post(`${stack.url}/authorize`, fields)).status, 302, name);
    assert.ok(isContinuePage(await (await begun.approved.browser.open(begun.approved.url)).text()), name);
  }
});

test("KR-01: a rotation back and forth within a roll-out loses nobody", async () => {
  const begun = await beginAll();
  const old = stack.bindings.ENCRYPTION_KEY;
  const next = freshHex();
  // First the new key only opens, then it seals.
  await stack.restart({ ...withoutPrevious, ENCRYPTION_KEY_PREVIOUS: next });
  const early = tokensOf(await refresh(stack, begun.session.client, begun.session.refreshToken));
  await stack.restart({ ENCRYPTION_KEY: next, ENCRYPTION_KEY_PREVIOUS: old });
  const late = tokensOf(await refresh(stack, begun.session.client, early.refreshToken));
  // An isolate of the old deployment answers once more.
  await stack.restart({ ENCRYPTION_KEY: old, ENCRYPTION_KEY_PREVIOUS: next });
  assertToolResult(await getEmails(stack, late.accessToken));
  tokensOf(await refresh(stack, begun.session.client, late.refreshToken));
});

test("KR-01 / OA-20: the index of a person's grants is read under both keys, and follows what is used", async (t) => {
  const OPERATOR_TOKEN = randomBytes(30).toString("base64url");
  const operated = await startStack({ bindings: { OPERATOR_TOKEN } });
  t.after(() => operated.dispose());
  const revokeAda = async (): Promise<unknown> => {
    const answer = await fetch(`${operated.url}/operator/revoke`, {
      method: "POST",
      body: JSON.stringify({ tid: ADA.tid, oid: ADA.oid }),
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
    });
    assert.equal(answer.status, 200);
    return answer.json();
  };
  const entries = async () => (await operated.kv()).filter(({ key }) => key.startsWith("user:")).length;

  const before = await signInWith(operated, await registerClient(operated));
  await eventually(async () => assert.equal(await entries(), 1));
  await operated.restart({ ENCRYPTION_KEY: freshHex(), ENCRYPTION_KEY_PREVIOUS: operated.bindings.ENCRYPTION_KEY });
  const after = await signInWith(operated, await registerClient(operated));
  await eventually(async () => assert.equal(await entries(), 2));
  await revokeAda();
  for (const { accessToken } of [before, after]) assertUnauthorized(await getEmails(operated, accessToken));

  const used = await signInWith(operated, await registerClient(operated));
  await operated.restart({ ENCRYPTION_KEY: freshHex(), ENCRYPTION_KEY_PREVIOUS: operated.bindings.ENCRYPTION_KEY });
  const renewed = tokensOf(await refresh(operated, used.client, used.refreshToken));
  assertToolResult(await getEmails(operated, renewed.accessToken));
  await operated.restart({ ENCRYPTION_KEY_PREVIOUS: undefined });
  assertToolResult(await getEmails(operated, renewed.accessToken));
  await revokeAda();
  assertUnauthorized(await getEmails(operated, renewed.accessToken));
});
