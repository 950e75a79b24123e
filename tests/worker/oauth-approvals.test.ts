// Remembered approvals: D-32, AP-01, AP-02, AP-07, rows 7 and 8.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertErrorRedirect, assertPage, assertToolResult } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  type Changes,
  getEmails,
  OTHER_REDIRECT,
  redeem,
  registerClient,
  signInWith,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

const STATIC_CLIENT_ID = "rWJu8WV42zC5pfGT";
const COOKIE = "m365-approvals";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

async function show(browser: Browser, client: TestClient, changes: Changes = {}, headers: Record<string, string> = {}) {
  const { verifier, challenge } = pkcePair();
  const page = await browser.open(authorizeUrl(stack, client, challenge, changes), headers);
  const text = await page.text();
  assert.equal(page.status, 200, text.slice(0, 200));
  assert.equal(page.headers.get("location"), null);
  return { page, text, form: readForm(text), verifier, isContinue: /approved this before/i.test(text) };
}

const decide = (browser: Browser, form: Record<string, string>, decision: string) =>
  browser.post(`${stack.url}/authorize`, { ...form, decision });

/** The approving post alone; nobody signs in. */
async function approveOnly(browser: Browser, client: TestClient, changes: Changes = {}): Promise<Response> {
  const { form } = await show(browser, client, changes);
  const answer = await decide(browser, form, "approve");
  assert.equal(answer.status, 302);
  return answer;
}

function approvalsOf(browser: Browser): string {
  const pair = browser
    .cookies(stack.url)
    .split("; ")
    .find((text) => text.startsWith(`${COOKIE}=`));
  return pair?.slice(COOKIE.length + 1) ?? "";
}

test("AP-01: the approving post sets the cookie: signature and payload, a year, HttpOnly, Lax, no Domain", async () => {
  const answer = await approveOnly(new Browser(), await registerClient(stack));
  const lines = answer.headers.getSetCookie().filter((line) => line.startsWith(COOKIE));
  assert.equal(lines.length, 1);
  assert.match(
    lines[0] ?? "",
    /^m365-approvals=[0-9a-f]{64}\.[A-Za-z0-9+/]+={0,2}; HttpOnly; Path=\/; SameSite=Lax; Max-Age=31536000$/,
  );
});

test("AP-01: on https the cookie is __Host- and Secure", async (t) => {
  const origin = "https://mcp.contoso.example";
  const secure = await startStack({ bindings: { WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" } });
  t.after(() => secure.dispose());
  const registered = await secure.mf.dispatchFetch(`${origin}/register`, {
    method: "POST",
    body: JSON.stringify({ redirect_uris: [WEB_REDIRECT], token_endpoint_auth_method: "none" }),
  });
  const registration: unknown = await registered.json();
  assert.ok(typeof registration === "object" && registration !== null && "client_id" in registration);
  const client = { clientId: String(registration.client_id), redirectUri: WEB_REDIRECT };
  const page = await secure.mf.dispatchFetch(authorizeUrl({ url: origin }, client, pkcePair().challenge));
  const cookie = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const posted = await secure.mf.dispatchFetch(`${origin}/authorize`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ ...readForm(await page.text()), decision: "approve" }).toString(),
    headers: { origin, cookie, "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" },
  });
  const line = posted.headers.getSetCookie().find((text) => text.startsWith(`__Host-${COOKIE}=`)) ?? "";
  assert.match(
    line,
    /^__Host-m365-approvals=[0-9a-f]{64}\.[A-Za-z0-9+/]+={0,2}; HttpOnly; Secure; Path=\/; SameSite=Lax; Max-Age=31536000$/,
  );
});

test("row 4 / AP-01: neither GET /authorize, a denial nor a refused post sets it", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  const { form } = await show(browser, client);
  await (await decide(new Browser(), form, "approve")).body?.cancel();
  await (await decide(browser, form, "deny")).body?.cancel();
  assert.equal(approvalsOf(browser), "");
  assert.equal((await show(browser, client)).isContinue, false);
});

test("AP-02: the second visit shows the Continue page, and its post is a 302 to Entra and signs in", async () => {
  const client = await registerClient(stack, { name: "Contoso Notes" });
  const browser = new Browser();
  await signInWith(stack, client, { browser });
  const { text, form, verifier, isContinue } = await show(browser, client);
  assert.ok(isContinue);
  for (const shown of ["Contoso Notes", "app.example.com", "Continue", "Change or deny"])
    assert.ok(text.includes(shown), shown);
  const posted = await decide(browser, form, "approve");
  assert.equal(posted.status, 302);
  const back = await browser.open(await signIn(posted.headers.get("location") ?? ""));
  const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
  assertToolResult(await getEmails(stack, tokensOf(await redeem(stack, client, { code, verifier })).accessToken));
});

test("row 7 / GHSA-6x8h-498w-gv8c: a remembered approval skips no post, wherever the browser comes from", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  for (const site of ["cross-site", "same-site", "same-origin", "none"]) {
    for (const purpose of ["prefetch", "prefetch;prerender", undefined]) {
      const headers = { "sec-fetch-site": site, ...(purpose !== undefined && { "sec-purpose": purpose }) };
      const { form } = await show(browser, client, { prompt: "none" }, headers);
      assert.ok(Object.keys(form).length > 0);
    }
  }
  const bare = await fetch(authorizeUrl(stack, client, pkcePair().challenge), {
    redirect: "manual",
    headers: { cookie: browser.cookies(stack.url) },
  });
  await bare.body?.cancel();
  assert.equal(bare.status, 200);
});

test("row 6: the post of a Continue page needs its own origin, browser and cookie like any other", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const { form } = await show(browser, client);
  const fields = { ...form, decision: "approve" };
  await assertPage(await browser.post(`${stack.url}/authorize`, fields, { origin: "https://evil.example" }), 403);
  await assertPage(await browser.post(`${stack.url}/authorize`, fields, { "sec-fetch-site": "cross-site" }), 403);
  await assertPage(await new Browser().post(`${stack.url}/authorize`, fields), 403);
});

test("AP-05: the Continue page has the headers of every page with a form", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const { page, text } = await show(browser, client);
  const policy = page.headers.get("content-security-policy") ?? "";
  for (const directive of [
    "default-src 'none'",
    "form-action 'self' https: http:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]) {
    assert.ok(policy.split("; ").includes(directive), directive);
  }
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.doesNotMatch(text, /<script/);
});

test("AP-02: from the Continue page one can change or deny", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const { text, form } = await show(browser, client);
  const [, value = ""] = /<button[^>]*name="decision"[^>]*value="([^"]+)"[^>]*>Change or deny/.exec(text) ?? [];
  const full = await decide(browser, form, value);
  const fullText = await full.text();
  assert.equal(full.status, 200);
  assert.ok(!/approved this before/i.test(fullText));
  const answer = await decide(browser, readForm(fullText), "deny");
  await assertErrorRedirect(answer, {
    redirectUri: WEB_REDIRECT,
    error: "access_denied",
    state: "state-of-the-client",
    iss: stack.url,
  });
});

test("row 8 / AP-02: another client, redirect, scope set or resource shows the full page", async () => {
  const redirectUris = [WEB_REDIRECT, OTHER_REDIRECT];
  const client = await registerClient(stack, { redirectUris });
  const browser = new Browser();
  await approveOnly(browser, client, { scope: "Mail.Read" });
  assert.ok((await show(browser, client, { scope: "Mail.Read" })).isContinue);
  const twin = await registerClient(stack, { redirectUris });
  const others: readonly (readonly [string, TestClient, Changes])[] = [
    ["client", twin, { scope: "Mail.Read" }],
    ["redirect", { ...client, redirectUri: OTHER_REDIRECT }, { scope: "Mail.Read" }],
    ["wider scope", client, { scope: "Mail.Read Mail.Send" }],
    ["other scope", client, { scope: "Mail.Send" }],
    ["whole catalogue", client, {}],
    ["resource", client, { scope: "Mail.Read", resource: `${stack.url}/mcp` }],
  ];
  for (const [why, asking, changes] of others) assert.ok(!(await show(browser, asking, changes)).isContinue, why);
});

test("AP-02: state, challenge, order of scopes and unknown scopes are no part of an approval", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client, { scope: "Mail.Read Mail.Send" });
  assert.ok(
    (await show(browser, client, { scope: "openid Mail.Send Mail.Read Unknown", state: "another" })).isContinue,
  );
});

test("AP-02: loopback and private-scheme redirects and the static client always show the full page", async () => {
  const natives = [
    "http://127.0.0.1:33418/callback",
    "http://localhost/callback",
    "http://[::1]/callback",
    "com.example.app:/callback",
    "cursor://x.y/callback",
  ];
  const clients: TestClient[] = [];
  for (const uri of natives) clients.push(await registerClient(stack, { redirectUris: [uri] }));
  clients.push({
    clientId: STATIC_CLIENT_ID,
    clientSecret: undefined,
    method: "none",
    redirectUri: "http://localhost:3334/oauth/callback",
  });
  for (const client of clients) {
    const browser = new Browser();
    await approveOnly(browser, client);
    assert.ok(!(await show(browser, client)).isContinue, client.redirectUri);
  }
});

test("AP-02: the static client shows the full page also where it is mapped to an https redirect", async () => {
  const kv = await stack.mf.getKVNamespace("CONFIG_KV");
  const stored = {
    clientId: "mapped",
    clientName: "Mapped",
    redirectUris: [WEB_REDIRECT],
    tokenEndpointAuthMethod: "none",
    grantTypes: ["authorization_code", "refresh_token"],
  };
  await kv.put("client:mapped", JSON.stringify(stored));
  await kv.put(`static_client_actual:${STATIC_CLIENT_ID}`, "mapped");
  const mapped: TestClient = {
    clientId: STATIC_CLIENT_ID,
    clientSecret: undefined,
    method: "none",
    redirectUri: WEB_REDIRECT,
  };
  const browser = new Browser();
  await approveOnly(browser, mapped);
  assert.ok(!(await show(browser, mapped)).isContinue);
  await kv.delete(`static_client_actual:${STATIC_CLIENT_ID}`);
});

test("AP-01: any character of the cookie changed shows the full page", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const cookie = approvalsOf(browser);
  assert.ok((await show(browser, client)).isContinue);
  for (let at = 0; at < cookie.length; at += at < 66 ? 5 : 7) {
    const other = cookie[at] === "0" ? "1" : "0";
    const changed = new Browser();
    changed.setCookie(stack.url, COOKIE, `${cookie.slice(0, at)}${other}${cookie.slice(at + 1)}`);
    assert.ok(!(await show(changed, client)).isContinue, `character ${at}`);
  }
});

test("AP-01: nonsense in the cookie is no error, and is replaced by the next approval", async () => {
  const client = await registerClient(stack);
  for (const value of [
    "",
    "x",
    ".",
    "a.b",
    `${"0".repeat(64)}.`,
    `${"0".repeat(64)}.AAAA`,
    "A".repeat(4000),
    `${"0".repeat(64)}.====`,
  ]) {
    const browser = new Browser();
    browser.setCookie(stack.url, COOKIE, value);
    assert.ok(!(await show(browser, client)).isContinue);
    await approveOnly(browser, client);
    assert.ok((await show(browser, client)).isContinue);
  }
});

test("AP-01: the payload alone, signed by a stranger, shows the full page", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const [, payload = ""] = approvalsOf(browser).split(".");
  const { createHmac } = await import("node:crypto");
  for (const secret of ["", "x", stack.bindings.ENCRYPTION_KEY ?? ""]) {
    const forged = new Browser();
    forged.setCookie(stack.url, COOKIE, `${createHmac("sha256", secret).update(payload).digest("hex")}.${payload}`);
    assert.ok(!(await show(forged, client)).isContinue);
  }
});

test("AP-07: the cookie names neither client, host, scope nor person without the key", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await signInWith(stack, client, { browser });
  const [signature = "", payload = ""] = approvalsOf(browser).split(".");
  const decoded = Buffer.from(payload, "base64").toString("latin1");
  for (const text of [approvalsOf(browser), decoded, Buffer.from(decoded, "base64").toString("latin1")]) {
    for (const clear of [client.clientId, "app.example.com", "Mail.Read", ADA.oid, ADA.email, ADA.tid, "{", "["]) {
      assert.ok(!(text.includes(clear) && clear.length > 1), clear);
    }
  }
  assert.match(signature, /^[0-9a-f]{64}$/);
});

test("AP-01: at most 50 approvals, the oldest leaves, and the cookie stays below 4,096 bytes", async () => {
  const browser = new Browser();
  const clients: TestClient[] = [];
  for (let count = 0; count < 51; count += 1) {
    const client = await registerClient(stack);
    clients.push(client);
    await approveOnly(browser, client);
  }
  const [first, second] = clients;
  const last = clients.at(-1);
  assert.ok(first !== undefined && second !== undefined && last !== undefined);
  assert.ok(!(await show(browser, first)).isContinue, "the oldest left");
  assert.ok((await show(browser, second)).isContinue, "the next stayed");
  assert.ok((await show(browser, last)).isContinue);
  assert.ok(`__Host-${COOKIE}=${approvalsOf(browser)}`.length <= 4096);
});

test("AP-01: approving again keeps the others", async () => {
  const [first, second] = [await registerClient(stack), await registerClient(stack)];
  const browser = new Browser();
  for (const client of [first, second, first]) await approveOnly(browser, client);
  for (const client of [first, second]) assert.ok((await show(browser, client)).isContinue);
});

test("AP-01: what one browser approved, another did not", async () => {
  const client = await registerClient(stack);
  await approveOnly(new Browser(), client);
  assert.ok(!(await show(new Browser(), client)).isContinue);
});

test("AP-02: a denial after an approval is a denial; the next visit may still be short", async () => {
  const client = await registerClient(stack);
  const browser = new Browser();
  await approveOnly(browser, client);
  const { form } = await show(browser, client);
  const answer = await decide(browser, form, "deny");
  await assertErrorRedirect(answer, {
    redirectUri: WEB_REDIRECT,
    error: "access_denied",
    state: "state-of-the-client",
    iss: stack.url,
  });
});
