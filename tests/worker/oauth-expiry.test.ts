// What time does: D-46, AP-03, OA-07, OA-08, OA-15, ST-07, DO-05, row 25.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { assertOAuthError, assertPage, assertToolResult, assertUnauthorized } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
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
import { gidOf, type Lab, startLab } from "../support/oauth-lab.ts";

let lab: Lab;
let client: TestClient;
before(async () => {
  lab = await startLab();
  client = await registerClient(lab.stack);
});
after(() => lab.stack.dispose());
afterEach(() => lab.moveTo(0));

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;

const begin = () => signInWith(lab.stack, client);
const renew = (token: string) => refresh(lab.stack, client, token);

async function openForm() {
  const browser = new Browser();
  const page = await browser.open(authorizeUrl(lab.stack, client, pkcePair().challenge));
  return { browser, fields: { ...readForm(await page.text()), decision: "approve" } };
}

const post = ({ browser, fields }: Awaited<ReturnType<typeof openForm>>) =>
  browser.post(`${lab.stack.url}/authorize`, fields);

/** Nothing is stored and nothing will wake the object. */
async function assertEmpty(gid: string): Promise<void> {
  assert.deepEqual(await lab.look(gid), { tables: [], records: [], alarm: null });
}

test("AP-03 / D-46: a form is good for ten minutes, and then a 400 page", async () => {
  const form = await openForm();
  await lab.moveTo(10 * MINUTE + 2);
  await assertPage(await post(form), 400);
  await lab.moveTo(10 * MINUTE - 5);
  assert.equal((await post(form)).status, 302);
});

test("AP-03: a denied form that expired is a 400 page too", async () => {
  const { browser, fields } = await openForm();
  await lab.moveTo(10 * MINUTE + 2);
  await assertPage(await browser.post(`${lab.stack.url}/authorize`, { ...fields, decision: "deny" }), 400);
});

test("OA-15 / D-46: a login is good for ten minutes after the approval, and then a 400 page", async () => {
  for (const [seconds, status] of [
    [10 * MINUTE - 5, 302],
    [10 * MINUTE + 2, 400],
  ] as const) {
    await lab.moveTo(0);
    const form = await openForm();
    const callback = await signIn((await post(form)).headers.get("location") ?? "");
    await lab.moveTo(seconds);
    // Entra's own clock stands still, so its id_token must not be what is refused.
    lab.stack.entra.idTokenClaims = (claims) => ({ ...claims, exp: Math.floor(Date.now() / 1000) + HOUR });
    const answer = await form.browser.open(callback);
    lab.stack.entra.idTokenClaims = undefined;
    await answer.body?.cancel();
    assert.equal(answer.status, status);
  }
});

test("AP-03: an approved form that is posted again after its ten minutes is 400, not a new login", async () => {
  const form = await openForm();
  assert.equal((await post(form)).status, 302);
  await lab.moveTo(10 * MINUTE + 2);
  await assertPage(await post(form), 400);
});

test("OA-07 / D-46: a code is good for 60 seconds", async () => {
  const fresh = await obtainCode(lab.stack, client);
  await lab.moveTo(57);
  tokensOf(await redeem(lab.stack, client, fresh));
  await lab.moveTo(0);
  const stale = await obtainCode(lab.stack, client);
  await lab.moveTo(61);
  assertOAuthError(await redeem(lab.stack, client, stale), 400, "invalid_grant");
});

test("D-46: an access token is good for an hour, and then 401 on every method", async () => {
  const { accessToken: token } = await begin();
  await lab.moveTo(HOUR - 5);
  assertToolResult(await getEmails(lab.stack, token));
  await lab.moveTo(HOUR + 1);
  assertUnauthorized(await getEmails(lab.stack, token));
  assertUnauthorized(await rpc(lab.stack, "tools/list", {}, { token }));
});

test("OA-08: an hour passing signs nobody out: the Microsoft token is renewed on the way", async () => {
  const session = await begin();
  await lab.moveTo(2 * HOUR);
  const renewed = tokensOf(await renew(session.refreshToken));
  assertToolResult(await getEmails(lab.stack, renewed.accessToken));
});

test("OA-08: the predecessor is answered for 600 seconds, later its use ends the grant", async () => {
  const session = await begin();
  const renewed = tokensOf(await renew(session.refreshToken));
  await lab.moveTo(595);
  assert.equal(tokensOf(await renew(session.refreshToken)).refreshToken, renewed.refreshToken);
  await lab.moveTo(603);
  assertOAuthError(await renew(session.refreshToken), 400, "invalid_grant");
  assertOAuthError(await renew(renewed.refreshToken), 400, "invalid_grant");
});

test("OA-08: a replay does not extend the 600 seconds", async () => {
  const session = await begin();
  tokensOf(await renew(session.refreshToken));
  await lab.moveTo(500);
  tokensOf(await renew(session.refreshToken));
  await lab.moveTo(700);
  assertOAuthError(await renew(session.refreshToken), 400, "invalid_grant");
});

test("D-46: a refresh token is good for 30 idle days", async () => {
  const session = await begin();
  await lab.moveTo(30 * DAY - 10);
  const renewed = tokensOf(await renew(session.refreshToken));
  await lab.moveTo(60 * DAY - 5);
  assertOAuthError(await renew(renewed.refreshToken), 400, "invalid_grant");
});

/** Refreshed every 29 days, so that only the absolute end is left. */
async function keepFor(days: number): Promise<Session> {
  let session = await begin();
  for (let day = 29; day < days; day += 29) {
    await lab.moveTo(day * DAY);
    session = { ...session, ...tokensOf(await renew(session.refreshToken)) };
  }
  return session;
}

test("D-46: however often it is refreshed, a grant ends after 90 days", async () => {
  const session = await keepFor(90);
  await lab.moveTo(90 * DAY + 1);
  assertOAuthError(await renew(session.refreshToken), 400, "invalid_grant");
});

test("D-46: no access token outlives its grant", async () => {
  const session = await keepFor(90);
  await lab.moveTo(90 * DAY - 600);
  const reply = await renew(session.refreshToken);
  const { accessToken } = tokensOf(reply);
  assert.ok(Number(reply.body.expires_in) <= 600, String(reply.body.expires_in));
  await lab.moveTo(90 * DAY + 1);
  assertUnauthorized(await getEmails(lab.stack, accessToken));
});

test("row 25: a refresh in the last minute of a grant is invalid_grant, never 500", async () => {
  const session = await keepFor(90);
  await lab.moveTo(90 * DAY - 30);
  assertOAuthError(await renew(session.refreshToken), 400, "invalid_grant");
});

// Storage

test("ST-07: a pending login that nobody completes is gone at its alarm", async () => {
  const form = await openForm();
  const state = new URL((await post(form)).headers.get("location") ?? "").searchParams.get("state") ?? "";
  const gid = gidOf(state);
  const before = await lab.look(gid);
  assert.deepEqual(before.tables, ["record"]);
  assert.ok(before.alarm !== null && before.alarm <= Date.now() + 11 * MINUTE * 1000);
  await lab.moveTo(10 * MINUTE + 5);
  await lab.ring(gid);
  await assertEmpty(gid);
});

test("ST-07: a code that nobody redeems is gone at its alarm", async () => {
  const { code } = await obtainCode(lab.stack, client);
  const gid = gidOf(code);
  await lab.moveTo(10 * MINUTE + 5);
  await lab.ring(gid);
  await assertEmpty(gid);
});

test("ST-07: a grant that expired is gone at its alarm, and using its tokens brings nothing back", async () => {
  const session = await begin();
  const gid = gidOf(session.code);
  const before = await lab.look(gid);
  assert.ok(before.alarm !== null && before.alarm > Date.now() + 29 * DAY * 1000);
  await lab.moveTo(30 * DAY + 2 * HOUR);
  await lab.ring(gid);
  await assertEmpty(gid);
  // Back in time the token's own expiry lets it through to the object.
  await lab.moveTo(0);
  assertUnauthorized(await getEmails(lab.stack, session.accessToken));
  assertOAuthError(await renew(session.refreshToken), 400, "invalid_grant");
  assertOAuthError(await redeem(lab.stack, client, session), 400, "invalid_grant");
  await assertEmpty(gid);
});

test("DO-05: an alarm that comes early or twice ends nothing and is set again", async () => {
  const session = await begin();
  const gid = gidOf(session.code);
  const before = await lab.look(gid);
  await lab.ring(gid);
  const later = await lab.ring(gid);
  assert.equal(later.alarm, before.alarm);
  assertToolResult(await getEmails(lab.stack, session.accessToken));
});

test("DO-05: a refresh moves the alarm with the refresh token", async () => {
  const session = await begin();
  const gid = gidOf(session.code);
  const before = await lab.look(gid);
  await lab.moveTo(10 * DAY);
  tokensOf(await renew(session.refreshToken));
  const later = await lab.look(gid);
  assert.ok(before.alarm !== null && later.alarm !== null);
  assert.ok(Math.abs(later.alarm - before.alarm - 10 * DAY * 1000) < 60_000);
});

test("OA-07: an ended grant holds no more than a marker, and after the form's ten minutes nothing", async () => {
  const session = await begin();
  const gid = gidOf(session.code);
  assertOAuthError(await redeem(lab.stack, client, session), 400, "invalid_grant");
  const ended = await lab.look(gid);
  const text = JSON.stringify(ended);
  assert.doesNotMatch(text, /v1\.[0-9a-f]{8}\./, "a box is left");
  for (const secret of [client.clientId, "contoso.example", "app.example.com"])
    assert.ok(!text.includes(secret), secret);
  await lab.moveTo(10 * MINUTE + 5);
  await lab.ring(gid);
  await assertEmpty(gid);
});
