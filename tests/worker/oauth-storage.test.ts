// What is stored and logged, and what a changed storage does: ST-01, ST-02, ST-06, DO-06, LG-07.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { ADA } from "../../fixtures/people.ts";
import { assertOAuthError, assertToolResult, assertUnauthorized } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  obtainCode,
  redeem,
  refresh,
  registerClient,
  revoke,
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
  lab = await startLab({ bindings: { DEBUG: "true" } });
  client = await registerClient(lab.stack);
});
after(() => lab.stack.dispose());

const BOX = /v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g;

/** A grant whose Microsoft token has to be opened at the next use. */
const begin = (): Promise<Session> => signInWith(lab.stack, client);

async function recordsOf(gid: string) {
  const { records } = await lab.look(gid);
  assert.ok(records.length > 0, "nothing stored");
  return records;
}

/** Replaces texts in every record of a grant. */
async function change(gid: string, replace: (value: string) => string): Promise<void> {
  const records = await recordsOf(gid);
  const changed = records.map(({ name, value }) => ({ name, value: replace(value) }));
  assert.notDeepEqual(changed, records, "nothing was changed");
  await lab.rewrite(gid, changed);
}

test("ST-02 / DO-06 / LG-07: neither storage nor logs hold a token, secret, code, cookie, JWT or mail text", async () => {
  const { stack } = lab;
  const basic = await registerClient(stack, { method: "client_secret_basic" });
  const posting = await registerClient(stack, { method: "client_secret_post" });
  const secrets: string[] = [];
  const subject = "Quarterly figures of the orchard";
  for (const registered of [client, basic, posting]) {
    const browser = new Browser();
    const session = await signInWith(stack, registered, { browser });
    const renewed = tokensOf(await refresh(stack, registered, session.refreshToken));
    const newest = tokensOf(await refresh(stack, registered, renewed.refreshToken));
    const unused = await obtainCode(stack, registered, { browser });
    const mail = await getEmails(stack, newest.accessToken);
    assertToolResult(mail);
    const params = {
      name: "sendEmail",
      arguments: { to: "boris.lindqvist@contoso.example", subject, body: "Plums and pears, in confidence." },
    };
    assertToolResult(await rpc(stack, "tools/call", params, { token: newest.accessToken }));
    await redeem(stack, registered, { ...unused, verifier: "v".repeat(43) });
    await refresh(stack, { ...registered, clientSecret: "a-wrong-secret-of-a-client" }, newest.refreshToken);
    for (const pair of browser.cookies(stack.url).split("; ")) secrets.push(pair.slice(pair.indexOf("=") + 1));
    secrets.push(session.code, session.verifier, session.accessToken, session.refreshToken);
    secrets.push(renewed.accessToken, renewed.refreshToken, newest.accessToken, newest.refreshToken);
    secrets.push(unused.code, unused.verifier, registered.clientSecret ?? "a-wrong-secret-of-a-client");
  }
  const entraForms = stack.entra.requests.flatMap(({ form, query }) => [
    form.code,
    form.code_verifier,
    form.refresh_token,
    form.client_secret,
    query.state,
    query.nonce,
  ]);
  secrets.push(...entraForms.filter((text) => text !== undefined), ...stack.entra.redeemedCodes);
  const {
    MICROSOFT_CLIENT_SECRET = "",
    ENCRYPTION_KEY = "",
    COOKIE_ENCRYPTION_KEY = "",
    COOKIE_SECRET = "",
  } = stack.bindings;
  secrets.push(MICROSOFT_CLIENT_SECRET, ENCRYPTION_KEY, COOKIE_ENCRYPTION_KEY, COOKIE_SECRET);
  secrets.push("a-wrong-secret-of-a-client", subject, "Plums and pears", "simulated-graph-");

  await stack.settleLogs();
  const kv = JSON.stringify(await stack.kv());
  const objects = await stack.objectStorage();
  const logs = stack.logs.join("\n");
  assert.ok(kv.length > 100 && objects.length > 1000 && logs.length > 1000, "there is something to search");
  for (const [place, text] of [
    ["KV", kv],
    ["objects", objects],
    ["logs", logs],
  ] as const) {
    for (const secret of new Set(secrets)) {
      assert.ok(secret.length >= 14, "too short to search for");
      const needles = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64").slice(0, 40)];
      for (const needle of needles) assert.ok(!text.includes(needle), `${place} hold ${secret.slice(0, 12)}…`);
    }
    assert.doesNotMatch(text, /eyJ[A-Za-z0-9_-]{10,}\./, `${place} hold a JWT`);
    assert.doesNotMatch(text, /m365[acrs]\.[A-Za-z0-9_-]{22}\./, `${place} hold a token`);
  }
});

test("LG-07: logs name no person's address, only their object id", async () => {
  const session = await begin();
  assertToolResult(await getEmails(lab.stack, session.accessToken));
  await lab.stack.settleLogs();
  const logs = lab.stack.logs.join("\n");
  assert.ok(!logs.includes("@contoso.example"));
  assert.ok(!logs.includes(ADA.name));
  assert.ok(logs.includes(ADA.oid));
});

test("LG-01: every line of the OAuth endpoints parses and carries the fields of a line", async () => {
  await begin();
  await lab.stack.settleLogs();
  const lines = lab.stack.logs.filter((line) => line.includes("OAuth"));
  assert.ok(lines.length > 0);
  for (const line of lines) {
    const event: Readonly<Record<string, unknown>> = JSON.parse(line);
    for (const name of ["timestamp", "level", "message", "requestId", "clientType"]) assert.ok(name in event, line);
  }
});

test("ST-01: what a grant keeps of Microsoft is in boxes v1.<kid>.<iv>.<ciphertext> with fresh ivs", async () => {
  const [first, second] = [await begin(), await signInWith(lab.stack, await registerClient(lab.stack))];
  const boxes: string[] = [];
  for (const { code } of [first, second]) {
    const text = JSON.stringify(await recordsOf(gidOf(code)));
    boxes.push(...(text.match(BOX) ?? []));
  }
  assert.ok(boxes.length >= 2);
  assert.equal(new Set(boxes.map((box) => box.split(".")[2])).size, boxes.length);
  for (const box of boxes) assert.equal(Buffer.from(box.split(".")[2] ?? "", "base64url").length, 12);
});

for (const part of [1, 2, 3]) {
  test(`ST-01: a byte changed in part ${part} of every box is 401 and invalid_grant, never 500`, async () => {
    const session = await begin();
    await change(gidOf(session.code), (value) =>
      value.replace(BOX, (box) => {
        const pieces = box.split(".");
        const piece = pieces[part] ?? "";
        const middle = Math.floor(piece.length / 2);
        const other = piece[middle] === "a" ? "b" : "a";
        pieces[part] = `${piece.slice(0, middle)}${other}${piece.slice(middle + 1)}`;
        return pieces.join(".");
      }),
    );
    assertUnauthorized(await getEmails(lab.stack, session.accessToken));
    assertOAuthError(await refresh(lab.stack, client, session.refreshToken), 400, "invalid_grant");
  });
}

test("ST-01: a box that does not open is 401 and invalid_grant at every use, also when Microsoft's token is about to end", async (t) => {
  const { entra } = lab.stack;
  t.after(() => {
    entra.accessTokenLifetimeSeconds = 3600;
  });
  entra.accessTokenLifetimeSeconds = 60;
  const session = await begin();
  await change(gidOf(session.code), (value) => value.replace(BOX, (box) => box.replace(/[0-9a-f]{8}/, "00000000")));
  for (let count = 0; count < 3; count += 1) {
    assertUnauthorized(await getEmails(lab.stack, session.accessToken));
    assertOAuthError(await refresh(lab.stack, client, session.refreshToken), 400, "invalid_grant");
  }
});

test("ST-01: a box of another version, or no box at all, is 401, never 500", async () => {
  for (const replacement of ["v2.00000000.AAAA.AAAA", "v1", "", "v1.a.b.c.d.e"]) {
    const session = await begin();
    await change(gidOf(session.code), (value) => value.replace(BOX, replacement));
    assertUnauthorized(await getEmails(lab.stack, session.accessToken));
    assertOAuthError(await refresh(lab.stack, client, session.refreshToken), 400, "invalid_grant");
  }
});

test("ST-01: boxes swapped between two grants are 401 and invalid_grant in both, never 500", async () => {
  const sessions = [await begin(), await signInWith(lab.stack, client, { email: "boris.lindqvist@contoso.example" })];
  const gids = sessions.map(({ code }) => gidOf(code));
  const boxes: string[] = [];
  for (const gid of gids)
    boxes.push(
      JSON.stringify(await recordsOf(gid))
        .match(BOX)
        ?.at(0) ?? "",
    );
  for (const [index, gid] of gids.entries()) await change(gid, (value) => value.replace(BOX, boxes[1 - index] ?? ""));
  for (const { accessToken, refreshToken } of sessions) {
    assertUnauthorized(await getEmails(lab.stack, accessToken));
    assertOAuthError(await refresh(lab.stack, client, refreshToken), 400, "invalid_grant");
  }
});

test("OA-08 / section 5.6: a changed successor box is invalid_grant at the replay, never 500, and the successor works", async () => {
  const session = await begin();
  const renewed = tokensOf(await refresh(lab.stack, client, session.refreshToken));
  await change(gidOf(session.code), (value) =>
    value.replace(
      /("successorBox":"v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]+\.)(.)/,
      (_, head: string, first: string) => `${head}${first === "A" ? "B" : "A"}`,
    ),
  );
  assertOAuthError(await refresh(lab.stack, client, session.refreshToken), 400, "invalid_grant");
  tokensOf(await refresh(lab.stack, client, renewed.refreshToken));
});

test("ST-06: an object that was restarted knows everything it knew", async () => {
  const session = await begin();
  const renewed = tokensOf(await refresh(lab.stack, client, session.refreshToken));
  await lab.stack.restart();
  assertToolResult(await getEmails(lab.stack, renewed.accessToken));
  assert.equal(tokensOf(await refresh(lab.stack, client, session.refreshToken)).refreshToken, renewed.refreshToken);
  assertOAuthError(await redeem(lab.stack, client, session), 400, "invalid_grant");
  assertUnauthorized(await getEmails(lab.stack, renewed.accessToken));
});

test("ST-02: a grant that ended leaves no token of Microsoft behind", async () => {
  const session = await begin();
  assert.equal((await revoke(lab.stack, client, session.refreshToken)).status, 200);
  const { records } = await lab.look(gidOf(session.code));
  assert.doesNotMatch(JSON.stringify(records), BOX);
});

test("OA-15: the login in progress keeps neither state, nonce, verifier nor cookie in clear", async () => {
  const { stack } = lab;
  const browser = new Browser();
  const { challenge } = pkcePair();
  const page = await browser.open(authorizeUrl(stack, client, challenge));
  const posted = await browser.post(`${stack.url}/authorize`, { ...readForm(await page.text()), decision: "approve" });
  const { searchParams } = new URL(posted.headers.get("location") ?? "");
  const state = searchParams.get("state") ?? "";
  const stored = JSON.stringify(await recordsOf(gidOf(state)));
  const cookies = browser
    .cookies(stack.url)
    .split("; ")
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  for (const secret of [
    state,
    searchParams.get("nonce") ?? "?",
    searchParams.get("code_challenge") ?? "?",
    ...cookies,
  ]) {
    assert.ok(!stored.includes(secret));
  }
});
