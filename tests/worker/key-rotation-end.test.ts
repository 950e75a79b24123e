// The last step of a rotation, and the secret that Microsoft knows us by: KR-01, KR-02. The steps before are in
// oauth-rotation.test.ts.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import {
  assertOAuthError,
  assertPage,
  assertToolResult,
  assertUnauthorized,
  eventsOf,
} from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  obtainCode,
  type Reply,
  redeem,
  refresh,
  registerClient,
  revoke,
  rpc,
  type Session,
  signInWith,
  tokensOf,
} from "../support/oauth-client.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const PAIRS = ["ENCRYPTION_KEY", "COOKIE_ENCRYPTION_KEY", "COOKIE_SECRET"] as const;

/** What of `PAIRS` is new, what is previous. */
function keys(next: Readonly<Record<string, string>>, previous: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(
    PAIRS.flatMap((name) => [
      [name, next[name]],
      [`${name}_PREVIOUS`, previous[name]],
    ]),
  );
}

const fresh = () => Object.fromEntries(PAIRS.map((name) => [name, randomBytes(32).toString("hex")]));

const newSession = async () => signInWith(stack, await registerClient(stack));

test("KR-01: three steps, open, seal, forget: what was used goes on, what was not is 401, and nothing is ever 500", async (t) => {
  const old: Record<string, string> = { ...stack.bindings };
  const next = fresh();
  const used = await newSession();
  const refreshedOnly = await newSession();
  const calledOnly = await newSession();
  const idle = await newSession();
  const clientOfCode = await registerClient(stack);
  const code = await obtainCode(stack, clientOfCode);
  const browser = new Browser();
  const { challenge } = pkcePair();
  const form = readForm(await (await browser.open(authorizeUrl(stack, idle.client, challenge))).text());
  const known = new Browser();
  await signInWith(stack, idle.client, { browser: known });
  const atEntra = new Browser();
  const page = readForm(await (await atEntra.open(authorizeUrl(stack, used.client, challenge))).text());
  const posted = await atEntra.post(`${stack.url}/authorize`, { ...page, decision: "approve" });

  await stack.restart(keys(old, next));
  let { accessToken, refreshToken } = used;
  const useIt = async (session: Session) => {
    assertToolResult(await getEmails(stack, accessToken));
    ({ accessToken, refreshToken } = tokensOf(await refresh(stack, session.client, refreshToken)));
    assertToolResult(await getEmails(stack, accessToken));
  };
  await t.test("1: the new key only opens, and nobody notices", () => useIt(used));

  await stack.restart(keys(next, old));
  await t.test("2: the new key seals, and nobody notices", () => useIt(used));
  const renewed = tokensOf(await refresh(stack, refreshedOnly.client, refreshedOnly.refreshToken));
  assertToolResult(await getEmails(stack, calledOnly.accessToken));

  await stack.restart(keys(next, {}));
  await t.test("3: with the old key gone, what was used goes on", () => useIt(used));

  await t.test("3: a refresh alone was use enough: it sealed the Microsoft tokens anew", async () => {
    assertToolResult(await getEmails(stack, renewed.accessToken));
  });
  const refused: readonly (readonly [what: string, reply: () => Promise<Reply>])[] = [
    ["tokens that were never used again", () => getEmails(stack, idle.accessToken)],
    ["a token that was called with and not renewed", () => getEmails(stack, calledOnly.accessToken)],
    ["discovery with an old token", () => rpc(stack, "tools/list", {}, { token: idle.accessToken })],
  ];
  for (const [what, reply] of refused) {
    await t.test(`3: ${what}: 401`, async () => assertUnauthorized(await reply()));
  }
  await t.test("3: an old refresh token and an old code are invalid_grant", async () => {
    assertOAuthError(await refresh(stack, idle.client, idle.refreshToken), 400, "invalid_grant");
    assertOAuthError(await redeem(stack, clientOfCode, code), 400, "invalid_grant");
  });
  await t.test("RFC 7009 §2.2: revoking an old token is 200", async () => {
    assert.equal((await revoke(stack, idle.client, idle.refreshToken)).status, 200);
  });
  await t.test("3: an old form is 403, an old login a 400 page, an old approval is forgotten", async () => {
    await assertPage(await browser.post(`${stack.url}/authorize`, { ...form, decision: "approve" }), 403);
    await assertPage(await atEntra.open(await signIn(posted.headers.get("location") ?? "")), 400);
    const again = await known.open(authorizeUrl(stack, idle.client, challenge));
    assert.equal(again.status, 200);
    assert.doesNotMatch(await again.text(), /approved this before/i);
  });
  await t.test("3: the same client signs in again", async () => {
    assertToolResult(await getEmails(stack, (await signInWith(stack, idle.client)).accessToken));
  });
  assert.deepEqual(await eventsOf(stack, "unexpected fault"), []);
});

test("KR-01: the old key in both places is a configuration error that names the previous one", async () => {
  await stack.restart({ ENCRYPTION_KEY_PREVIOUS: stack.bindings.ENCRYPTION_KEY });
  const answer = await fetch(`${stack.url}/health`);
  const { checks } = (await answer.json()) as { checks: { configuration: unknown } };
  assert.deepEqual([answer.status, checks.configuration], [503, { healthy: false, keys: ["ENCRYPTION_KEY_PREVIOUS"] }]);
  await stack.restart({ ENCRYPTION_KEY_PREVIOUS: undefined });
});

/** The secret of the newest request to the token endpoint. */
const secretSent = () => stack.entra.requests.findLast(({ path }) => path.endsWith("/token"))?.form.client_secret;

test("KR-02: a changed MICROSOFT_CLIENT_SECRET is the one of the next call to Entra; a wrong one signs nobody out", async (t) => {
  const session = await newSession();
  const good = stack.bindings.MICROSOFT_CLIENT_SECRET;
  const expired = `simulated~${randomBytes(18).toString("base64url")}`;
  assert.equal(secretSent(), good);

  await stack.restart({ MICROSOFT_CLIENT_SECRET: expired });
  await t.test("while nothing is asked of Entra, nothing is missed", async () => {
    assertToolResult(await getEmails(stack, session.accessToken));
  });
  stack.entra.expireAccessTokens();
  await t.test("with a secret that Entra does not know, calls say so and may be tried again", async () => {
    const { status, body } = await getEmails(stack, session.accessToken);
    assert.equal(secretSent(), expired);
    const { isError, structuredContent } = body.result as {
      isError: boolean;
      structuredContent: { error: { type: string } };
    };
    assert.deepEqual([status, isError, structuredContent.error.type], [200, true, "signin_unavailable"]);
  });
  await t.test("with a secret that Entra does not know, nobody new comes in", async () => {
    const browser = new Browser();
    const client = await registerClient(stack);
    const page = readForm(await (await browser.open(authorizeUrl(stack, client, pkcePair().challenge))).text());
    const posted = await browser.post(`${stack.url}/authorize`, { ...page, decision: "approve" });
    const back = await browser.open(await signIn(posted.headers.get("location") ?? ""));
    assert.equal(new URL(back.headers.get("location") ?? "").searchParams.get("error"), "server_error");
  });
  await t.test("the operator is told, at ERROR, and not the secret", async () => {
    const [told] = await eventsOf(stack, "Authentication of this server at Microsoft failed");
    assert.equal(told?.level, "ERROR");
    assert.ok(!stack.logs.join("\n").includes(expired));
  });

  await stack.restart({ MICROSOFT_CLIENT_SECRET: good });
  await t.test("with the right one everything goes on, with the tokens of before", async () => {
    assertToolResult(await getEmails(stack, session.accessToken));
    assert.equal(secretSent(), good);
    tokensOf(await refresh(stack, session.client, session.refreshToken));
  });
});
