// The authorization endpoint and its page: OA-05, OA-06, OA-09 to OA-11, OA-16, OA-18, AP-03 to AP-06, rows 1, 2, 4 and 6 to 14.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import {
  assertErrorRedirect,
  assertPage,
  assertToolResult,
  eventsOf,
  storageOf,
  storedGrants,
} from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  type Changes,
  getEmails,
  OTHER_REDIRECT,
  obtainCode,
  postRegistration,
  redeem,
  registerClient,
  signInWith,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

const STATIC_CLIENT_ID = "rWJu8WV42zC5pfGT";

let stack: Stack;
let client: TestClient;
before(async () => {
  stack = await startStack();
  client = await registerClient(stack);
});
after(() => stack.dispose());

const good = (changes: Changes = {}, who: Pick<TestClient, "clientId" | "redirectUri"> = client) =>
  authorizeUrl(stack, who, pkcePair().challenge, changes);

const ask = (changes: Changes = {}, who?: Pick<TestClient, "clientId" | "redirectUri">) =>
  new Browser().open(good(changes, who));

/** A page with its form, and the browser that sees it. */
async function showForm(url = good(), browser = new Browser()) {
  const page = await browser.open(url);
  const text = await page.text();
  assert.equal(page.status, 200, text.slice(0, 300));
  return { browser, page, text, form: readForm(text) };
}

const post = (browser: Browser, form: Record<string, string>, headers: Record<string, string> = {}) =>
  browser.post(`${stack.url}/authorize`, { decision: "approve", ...form }, headers);

const refused = (error: string, state: string | null = "state-of-the-client") => ({
  redirectUri: WEB_REDIRECT,
  error,
  state,
  iss: stack.url,
});

// What is wrong before client and redirect are proven

test("row 2 / CVE-2025-4143: a redirect address that is not registered is a 400 page without Location", async () => {
  const near = [
    "https://app.example.com/oauth/callback/",
    "https://app.example.com/oauth/callback?x=1",
    "https://app.example.com/oauth/callback/../evil",
    "https://app.example.com/oauth/Callback",
    "https://APP.example.com/oauth/callback",
    "https://app.example.com:443/oauth/callback",
    "https://app.example.com:8443/oauth/callback",
    "https://app.example.com./oauth/callback",
    "https://app.example.com.evil.example/oauth/callback",
    "https://user@app.example.com/oauth/callback",
    "https://app.example.com@evil.example/oauth/callback",
    "https://app.example.com/oauth/callback#x",
    "https://app.example.com/oauth%2Fcallback",
    "http://app.example.com/oauth/callback",
    "https://evil.example/",
    " https://app.example.com/oauth/callback",
    "https://app.example.com/oauth/callback\n",
    "//app.example.com/oauth/callback",
    "javascript:alert(1)",
    "x",
  ];
  for (const redirect_uri of near) await assertPage(await ask({ redirect_uri }), 400);
});

test("OA-05: an unknown client is a 400 page without Location, whatever else is wrong", async () => {
  const ids = ["nobody", "", "a".repeat(5000), "../client", "\u0000", "client:*", "постой"];
  for (const client_id of ids) await assertPage(await ask({ client_id }), 400);
  await assertPage(await ask({ client_id: undefined }), 400);
  await assertPage(await ask({ client_id: "nobody", response_type: "token", code_challenge: undefined }), 400);
});

test("OA-18: a repeated client_id or redirect_uri is a 400 page, also with two equal values", async () => {
  await assertPage(await ask({ client_id: [client.clientId, client.clientId] }), 400);
  await assertPage(await ask({ client_id: [client.clientId, "nobody"] }), 400);
  await assertPage(await ask({ redirect_uri: [WEB_REDIRECT, WEB_REDIRECT] }), 400);
  await assertPage(await ask({ redirect_uri: [WEB_REDIRECT, "https://evil.example/"] }), 400);
});

test("OA-05: redirect_uri may be left out when one is registered, and must be there when two are", async () => {
  const { page } = await showForm(good({ redirect_uri: undefined }));
  assert.equal(page.status, 200);
  const two = await registerClient(stack, { redirectUris: [WEB_REDIRECT, OTHER_REDIRECT] });
  await assertPage(await ask({ redirect_uri: undefined }, two), 400);
});

test("OA-05: an error whose redirect_uri was left out goes to the registered one", async () => {
  await assertErrorRedirect(
    await ask({ redirect_uri: undefined, response_type: "token" }),
    refused("unsupported_response_type"),
  );
});

// What the client hears of

for (const name of [
  "state",
  "scope",
  "resource",
  "response_type",
  "code_challenge",
  "code_challenge_method",
  "prompt",
  "nonce",
]) {
  test(`OA-18 / RFC 6749 §3.1: a repeated ${name} is invalid_request`, async () => {
    const value = { response_type: "code", code_challenge_method: "S256" }[name] ?? "x";
    const state = name === "state" ? null : "state-of-the-client";
    await assertErrorRedirect(await ask({ [name]: [value, value] }), refused("invalid_request", state));
  });
}

test("row 1 / CVE-2025-4144 / OA-06: no challenge is invalid_request, and the description names code_challenge", async () => {
  const url = await assertErrorRedirect(
    await ask({ code_challenge: undefined, code_challenge_method: undefined }),
    refused("invalid_request"),
  );
  assert.match(url.searchParams.get("error_description") ?? "", /code_challenge/);
});

test("row 1: a confidential client needs a challenge as well", async () => {
  const confidential = await registerClient(stack, { method: "client_secret_basic" });
  const answer = await ask({ code_challenge: undefined, code_challenge_method: undefined }, confidential);
  await assertErrorRedirect(answer, refused("invalid_request"));
});

test("row 1: without a challenge no code comes about that a verifier could be sent for", async () => {
  const { verifier } = pkcePair();
  const answer = await ask({ code_challenge: undefined, code_verifier: verifier });
  await assertErrorRedirect(answer, refused("invalid_request"));
});

for (const method of [undefined, "", "plain", "s256", "S256 ", "S512", "none"]) {
  test(`OA-06 / OAuth 2.1 §4.1.1: the method ${JSON.stringify(method)} is refused`, async () => {
    await assertErrorRedirect(await ask({ code_challenge_method: method }), refused("invalid_request"));
  });
}

const CHALLENGES = [
  "",
  "a",
  "a".repeat(42),
  "a".repeat(44),
  "a".repeat(128),
  `${"a".repeat(42)}=`,
  `${"a".repeat(42)}+`,
  `${"a".repeat(42)}~`,
  `${"a".repeat(42)} `,
];
for (const challenge of CHALLENGES) {
  test(`OA-06 / RFC 7636 §4.2: ${JSON.stringify(challenge)} is no S256 challenge`, async () => {
    await assertErrorRedirect(await ask({ code_challenge: challenge }), refused("invalid_request"));
  });
}

for (const type of ["token", "id_token", "code token", "code id_token", "CODE", "none"]) {
  test(`OA-05 / RFC 6749 §3.1.1: response_type ${type} is unsupported_response_type`, async () => {
    await assertErrorRedirect(await ask({ response_type: type }), refused("unsupported_response_type"));
  });
}

test("OA-05 / RFC 6749 §4.1.2.1: a missing response_type is invalid_request", async () => {
  await assertErrorRedirect(await ask({ response_type: undefined }), refused("invalid_request"));
});

test("OA-11: nothing known left of scope is invalid_scope", async () => {
  await assertErrorRedirect(await ask({ scope: "Files.ReadWrite.All mail" }), refused("invalid_scope"));
});

for (const resource of [
  "https://graph.microsoft.com",
  "https://evil.example/mcp",
  "x",
  "{url}/other",
  "{url}/mcp/",
  "{url}/mcp#",
  "{url}?x=1",
  "http://user@{host}/",
]) {
  test(`OA-16 / RFC 8707 §2: the resource ${resource} is invalid_target`, async () => {
    const spelled = resource.replace("{url}", stack.url).replace("{host}", new URL(stack.url).host);
    await assertErrorRedirect(await ask({ resource: spelled }), refused("invalid_target"));
  });
}

test("AU-06 / OA-16: every spelling of this server is one resource", async () => {
  const local = stack.url.replace("127.0.0.1", "localhost");
  for (const base of [stack.url, local]) {
    for (const suffix of ["", "/", "/sse", "/mcp"]) await showForm(good({ resource: `${base}${suffix}` }));
  }
});

test("OA-05: state may have 4,096 characters, one more is invalid_request without it", async () => {
  await showForm(good({ state: "s".repeat(4096) }));
  await assertErrorRedirect(await ask({ state: "s".repeat(4097) }), refused("invalid_request", null));
});

test("row 14 / RFC 9207: iss on an error equals the issuer of the metadata", async () => {
  const metadata: unknown = await (await fetch(`${stack.url}/.well-known/oauth-authorization-server`)).json();
  assert.ok(typeof metadata === "object" && metadata !== null && "issuer" in metadata);
  const answer = await ask({ response_type: "token" });
  assert.equal(new URL(answer.headers.get("location") ?? "").searchParams.get("iss"), metadata.issuer);
});

test("row 14 / RFC 9207: iss on success equals the issuer of the metadata", async () => {
  const { redirect } = await obtainCode(stack, client);
  assert.equal(redirect.searchParams.get("iss"), stack.url);
  assert.equal(redirect.searchParams.get("state"), "state-of-the-client");
});

test("OA-05: a state with every kind of character comes back as it went", async () => {
  const state = `a b+c%20d&e=f#g"h'<i>é漢\u{1f600}`;
  const answer = await ask({ state, response_type: "token" });
  await assertErrorRedirect(answer, refused("unsupported_response_type", state));
});

test("OA-05 / RFC 6749 §3.1.2: the query of a registered redirect is kept", async () => {
  const redirectUri = "https://app.example.com/cb?tenant=a%20b&list=1&list=2";
  const asking = await registerClient(stack, { redirectUris: [redirectUri] });
  const answer = await ask({ response_type: "token" }, asking);
  const { searchParams } = new URL(answer.headers.get("location") ?? "");
  assert.equal(searchParams.get("tenant"), "a b");
  assert.deepEqual(searchParams.getAll("list"), ["1", "2"]);
  assert.equal(searchParams.get("error"), "unsupported_response_type");
});

test("OA-05: unknown parameters and prompt are ignored", async () => {
  for (const prompt of ["none", "consent", "login", "select_account", "nonsense"]) {
    await showForm(good({ prompt, nonce: "n", audience: "x", login_hint: "ada", unknown: "1", max_age: "0" }));
  }
});

// Scopes

test("OA-11 / DX-01: scope=openid reaches the page and asks for the whole catalogue", async () => {
  const { text } = await showForm(good({ scope: "openid profile email offline_access" }));
  assert.ok(text.includes("Mail.Read") && text.includes("Mail.Send"));
});

test("OA-11: unknown names are dropped, known ones stay", async () => {
  const { scope } = await signInWith(stack, client, { authorize: { scope: "Mail.Read Files.ReadWrite.All openid" } });
  assert.equal(scope, "Mail.Read");
});

test("D-15: a wider name of an older guide is narrowed to what the catalogue uses", async () => {
  const { scope } = await signInWith(stack, client, { authorize: { scope: "Mail.ReadWrite" } });
  assert.equal(scope, "Mail.Read");
});

test("OA-11: the granted set is enforced per tool, and a refusal names what is granted and needed", async () => {
  const { accessToken, scope } = await signInWith(stack, client, { authorize: { scope: "Mail.Send" } });
  assert.equal(scope, "Mail.Send");
  const { status, headers } = await getEmails(stack, accessToken);
  assert.equal(status, 403);
  const challenge = headers.get("www-authenticate") ?? "";
  assert.match(challenge, /error="insufficient_scope"/);
  assert.deepEqual(/scope="([^"]*)"/.exec(challenge)?.[1]?.split(" ").sort(), ["Mail.Read", "Mail.Send"]);
});

test("EN-01: Entra is asked for the requested scopes with a pair and a nonce of our own, never the client's", async () => {
  const { verifier, challenge } = pkcePair();
  const browser = new Browser();
  const { form } = await showForm(
    authorizeUrl(stack, client, challenge, { scope: "Mail.Read", resource: `${stack.url}/mcp`, nonce: "client-nonce" }),
    browser,
  );
  const answer = await post(browser, form);
  const entra = new URL(answer.headers.get("location") ?? "");
  assert.equal(entra.origin, stack.entra.origin);
  assert.equal(entra.pathname, `/${stack.bindings.MICROSOFT_TENANT_ID}/oauth2/v2.0/authorize`);
  const { searchParams: query } = entra;
  assert.equal(query.get("client_id"), stack.bindings.MICROSOFT_CLIENT_ID);
  assert.equal(query.get("response_type"), "code");
  assert.equal(query.get("response_mode"), "query");
  assert.equal(query.get("redirect_uri"), `${stack.url}/callback`);
  assert.equal(query.get("code_challenge_method"), "S256");
  assert.match(query.get("code_challenge") ?? "", /^[A-Za-z0-9_-]{43}$/);
  assert.match(query.get("state") ?? "", /^m365s\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{59}$/);
  assert.ok((query.get("nonce") ?? "").length >= 22);
  assert.deepEqual(query.get("scope")?.split(" ").sort(), ["Mail.Read", "offline_access", "openid", "profile"]);
  for (const ours of [challenge, verifier, "client-nonce", "state-of-the-client", "/mcp", client.clientId]) {
    assert.ok(!decodeURIComponent(entra.href).includes(ours), `Entra hears of ${ours}`);
  }
});

// Loopback and static clients

const LOOPBACK_GOOD = ["http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://127.0.0.1/callback"];
const LOOPBACK_BAD = [
  "http://127.0.0.1:5000/other",
  "http://127.0.0.1:5000/callback/",
  "http://127.0.0.1:5000/callback?x=1",
  "https://127.0.0.1:5000/callback",
  "http://localhost:5000/callback",
  "http://[::1]:5000/callback",
  "http://127.0.0.2:5000/callback",
  "http://127.0.0.1:5000@evil.example/callback",
  "http://127.0.0.1.evil.example:5000/callback",
  "http://127.1:5000/callback",
  "http://2130706433:5000/callback",
  "http://127.0.0.1:99999/callback",
  "http://127.0.0.1:/callback",
  "http://127.0.0.1:5000\\@evil.example/callback",
  "http://evil.example:5000/callback",
];

test("row 13 / RFC 8252 §7.3: a loopback redirect may differ in its port, and in nothing else", async () => {
  const native = await registerClient(stack, { redirectUris: ["http://127.0.0.1:33418/callback"] });
  for (const redirect_uri of LOOPBACK_GOOD) await showForm(good({ redirect_uri }, native));
  for (const redirect_uri of LOOPBACK_BAD) await assertPage(await ask({ redirect_uri }, native), 400);
});

test("row 13: [::1] and localhost differ in their port as well", async () => {
  for (const host of ["[::1]", "localhost"]) {
    const native = await registerClient(stack, { redirectUris: [`http://${host}/callback`] });
    await showForm(good({ redirect_uri: `http://${host}:6274/callback` }, native));
    await assertPage(await ask({ redirect_uri: `https://${host}:6274/callback` }, native), 400);
    await assertPage(await ask({ redirect_uri: `http://${host}:6274/other` }, native), 400);
  }
});

test("row 13: the port of an https redirect is part of it", async () => {
  await assertPage(await ask({ redirect_uri: "https://app.example.com:8443/oauth/callback" }), 400);
});

test("row 13: the code goes to the port that asked, and is redeemed with that address", async () => {
  const native = await registerClient(stack, { redirectUris: ["http://127.0.0.1:33418/callback"] });
  const redirectUri = "http://127.0.0.1:41234/callback";
  const obtained = await obtainCode(stack, { ...native, redirectUri });
  assert.ok(obtained.redirect.href.startsWith(`${redirectUri}?`));
  tokensOf(await redeem(stack, { ...native, redirectUri }, obtained));
});

const REDIRECTS = [
  "https://app.example.com/callback?tenant=a",
  "http://localhost:6274/oauth/callback",
  "http://[::1]:9999/callback",
  "com.example.app:/oauth2redirect",
  "cursor://anysphere.cursor-retrieval/oauth/user-abc/callback",
  "vscode://contoso.mcp/callback",
];
for (const redirectUri of REDIRECTS) {
  test(`OA-04 / RFC 8252: code, denial and error arrive at ${redirectUri}`, async () => {
    const asking = await registerClient(stack, { redirectUris: [redirectUri] });
    const obtained = await obtainCode(stack, asking);
    assert.ok(obtained.redirect.href.startsWith(redirectUri), obtained.redirect.href);
    assert.equal(obtained.redirect.searchParams.get("iss"), stack.url);
    tokensOf(await redeem(stack, asking, obtained));
    const expected = { ...refused("access_denied"), redirectUri };
    const { browser, form } = await showForm(good({}, asking));
    await assertErrorRedirect(await post(browser, { ...form, decision: "deny" }), expected);
    await assertErrorRedirect(await ask({ response_type: undefined }, asking), {
      ...expected,
      error: "invalid_request",
    });
  });
}

test("OA-09: the static client is known at any loopback port with its two paths, and nowhere else", async () => {
  const asking = (redirectUri: string) => ({ clientId: STATIC_CLIENT_ID, redirectUri });
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    for (const path of ["/oauth/callback", "/callback"]) {
      await showForm(good({}, asking(`http://${host}:3334${path}`)));
    }
    await assertPage(await ask({}, asking(`http://${host}:3334/elsewhere`)), 400);
    await assertPage(await ask({}, asking(`https://${host}:3334/callback`)), 400);
  }
  await assertPage(await ask({}, asking("https://app.example.com/oauth/callback")), 400);
  await assertPage(await ask({ redirect_uri: undefined }, asking("x")), 400);
});

test("OA-09: the static client signs in without registration and still has to send PKCE", async () => {
  const native: TestClient = {
    clientId: STATIC_CLIENT_ID,
    clientSecret: undefined,
    method: "none",
    redirectUri: "http://localhost:3334/oauth/callback",
  };
  assertToolResult(await getEmails(stack, (await signInWith(stack, native)).accessToken));
  const answer = await ask({ code_challenge: undefined }, native);
  await assertErrorRedirect(answer, { ...refused("invalid_request"), redirectUri: native.redirectUri });
});

test("ST-04 / OA-09: CONFIG_KV maps the static id, and it alone, to a stored client", async () => {
  const kv = await stack.mf.getKVNamespace("CONFIG_KV");
  const stored = {
    clientId: "operators-client",
    clientName: "Operator's client",
    redirectUris: ["https://operator.example/callback"],
    tokenEndpointAuthMethod: "none",
    grantTypes: ["authorization_code", "refresh_token"],
  };
  await kv.put("client:operators-client", JSON.stringify(stored));
  await kv.put("static_client_actual:somebody-else", "operators-client");
  await showForm(good({}, { clientId: "operators-client", redirectUri: "https://operator.example/callback" }));
  await assertPage(await ask({}, { clientId: "somebody-else", redirectUri: "https://operator.example/callback" }), 400);
  await kv.put(`static_client_actual:${STATIC_CLIENT_ID}`, "operators-client");
  await showForm(good({}, { clientId: STATIC_CLIENT_ID, redirectUri: "https://operator.example/callback" }));
  await kv.delete(`static_client_actual:${STATIC_CLIENT_ID}`);
});

test("OA-10 / DX-04: a client of CONFIG_KV is known, read only; without a challenge it is an error", async () => {
  const kv = await stack.mf.getKVNamespace("CONFIG_KV");
  const stored = {
    clientId: "test-client",
    clientName: "Local development",
    redirectUris: ["http://localhost/callback", "http://127.0.0.1/callback", "http://localhost/"],
    tokenEndpointAuthMethod: "none",
    grantTypes: ["authorization_code", "refresh_token"],
  };
  await kv.put("client:test-client", JSON.stringify(stored));
  const local: TestClient = {
    clientId: "test-client",
    clientSecret: undefined,
    method: "none",
    redirectUri: "http://localhost:8080/callback",
  };
  const answer = await ask({ code_challenge: undefined }, local);
  await assertErrorRedirect(answer, { ...refused("invalid_request"), redirectUri: local.redirectUri });
  await signInWith(stack, local);
  const entries = (await stack.kv()).filter(({ key }) => key === "client:test-client");
  assert.deepEqual(
    entries.map(({ namespace, expiration }) => [namespace, expiration]),
    [["CONFIG_KV", undefined]],
  );
});

// The page

test("row 11 / AP-05: headers of the page", async () => {
  const { page, text } = await showForm();
  const policy = page.headers.get("content-security-policy") ?? "";
  const nonce = /style-src 'nonce-([A-Za-z0-9+/_=-]{16,})'/.exec(policy)?.[1];
  assert.ok(nonce !== undefined, policy);
  assert.deepEqual(
    policy
      .split(";")
      .map((directive) => directive.trim())
      .filter(Boolean)
      .sort(),
    [
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'self' https: http:",
      "frame-ancestors 'none'",
      `style-src 'nonce-${nonce}'`,
    ],
  );
  assert.ok(text.includes(`nonce="${nonce}"`));
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal(page.headers.get("cache-control"), "no-store");
  assert.equal(page.headers.get("referrer-policy"), "same-origin");
  assert.match(page.headers.get("content-type") ?? "", /^text\/html;\s*charset=utf-8$/i);
  assert.doesNotMatch(text, /<script|<img|<iframe|<link|\bon\w+=|url\(/i);
});

test("AP-05: a nonce is never used twice", async () => {
  const [first, second] = await Promise.all([showForm(), showForm()]);
  assert.notEqual(
    first.page.headers.get("content-security-policy"),
    second.page.headers.get("content-security-policy"),
  );
});

test("AP-05: form-action of a server on http admits http, and the scheme of a private redirect", async () => {
  const actions: readonly (readonly [string, string])[] = [
    ["http://localhost:6274/callback", "form-action 'self' https: http:"],
    ["com.example.app:/callback", "form-action 'self' https: com.example.app: http:"],
    ["cursor://anysphere.cursor-retrieval/callback", "form-action 'self' https: cursor: http:"],
  ];
  for (const [redirectUri, action] of actions) {
    const native = await registerClient(stack, { redirectUris: [redirectUri] });
    const { page } = await showForm(good({}, native));
    assert.ok(page.headers.get("content-security-policy")?.split("; ").includes(action), redirectUri);
  }
});

test("CS-03: an error page has no form and gives no referrer, may not be framed, kept or sniffed", async () => {
  const answer = await ask({ client_id: "nobody" });
  assert.equal(answer.headers.get("x-frame-options"), "DENY");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
  assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'.*frame-ancestors 'none'/);
  assert.doesNotMatch(await assertPage(answer, 400), /<form|<script/);
});

test("row 12 / AP-04: markup in what the client says of itself is text", async () => {
  const hostile = `<b onload=x>"'&</title></style><script>alert(1)</script>`;
  const asking = await registerClient(stack, {
    name: hostile,
    metadata: {
      client_uri: 'https://app.example.com/"><script>alert(2)</script>',
      policy_uri: "https://app.example.com/'onmouseover='alert(3)",
      contacts: ["<img src=x onerror=alert(4)>"],
    },
  });
  const { text } = await showForm(good({ state: "<script>alert(5)</script>" }, asking));
  assert.doesNotMatch(text, /<script|<img|<b /i);
  assert.ok(text.includes("&lt;b onload=x&gt;&quot;&#39;&amp;&lt;/title&gt;"));
  // No attribute value is left early: between quotes there is no quote.
  for (const [, value = ""] of text.matchAll(/href="([^"]*)"/g)) assert.match(value, /^https?:\/\/[^<>"']*$/);
});

test("AP-04: text that turns the reading direction cannot rename the host", async () => {
  for (const mark of ["\u202e", "\u2066", "\u200f"]) {
    const reply = await postRegistration(stack, { client_name: `Contoso ${mark}toca`, redirect_uris: [WEB_REDIRECT] });
    if (reply.status === 400) continue;
    assert.equal(reply.status, 201);
    const { text } = await showForm(good({}, { clientId: String(reply.body.client_id), redirectUri: WEB_REDIRECT }));
    assert.ok(
      !text.includes(mark) || /<bdi|dir="auto"|unicode-bidi/.test(text),
      "an override reaches the page unisolated",
    );
  }
});

test("AP-06: the page says who asks, where the answer goes, what for, and that nobody checked it", async () => {
  const asking = await registerClient(stack, {
    name: "Contoso Notes",
    metadata: {
      client_uri: "https://app.example.com/about",
      policy_uri: "https://app.example.com/privacy",
      tos_uri: "https://app.example.com/terms",
      contacts: ["ops@app.example.com"],
    },
  });
  const { text } = await showForm(good({}, asking));
  for (const shown of [
    "Contoso Notes",
    "app.example.com",
    "https://app.example.com/about",
    "https://app.example.com/privacy",
    "https://app.example.com/terms",
    "ops@app.example.com",
    "Mail.Read",
    "Mail.Send",
  ]) {
    assert.ok(text.includes(shown), shown);
  }
  assert.match(text, /given by the (client|application) itself/i);
  const { text: narrow } = await showForm(good({ scope: "Mail.Read" }, asking));
  assert.ok(!narrow.includes("Mail.Send"));
});

test("AP-06: deny redirects access_denied with state and iss, and creates nothing", async () => {
  const stored = async () => ({ kv: await stack.kv(), grants: await storedGrants(stack) });
  const before = await stored();
  const { browser, form } = await showForm();
  await assertErrorRedirect(await post(browser, { ...form, decision: "deny" }), refused("access_denied"));
  assert.deepEqual(await stored(), before);
});

test("LG-07: grant and denial are audited with client, redirect host and scopes", async () => {
  await signInWith(stack, client, { authorize: { scope: "Mail.Read" } });
  const { browser, form } = await showForm();
  await (await post(browser, { ...form, decision: "deny" })).body?.cancel();
  for (const message of ["OAuth grant approved", "OAuth grant denied"]) {
    const event = (await eventsOf(stack, message)).at(-1);
    const metadata: unknown = event?.metadata;
    assert.ok(typeof metadata === "object" && metadata !== null && "clientId" in metadata, message);
    assert.equal(metadata.clientId, client.clientId);
    assert.ok("redirectHost" in metadata && metadata.redirectHost === "app.example.com");
    assert.ok("scopes" in metadata && Array.isArray(metadata.scopes));
  }
});

// Posting the form

test("row 4 / row 9 / AP-03: GET /authorize writes nothing, sends nothing to Entra and sets no login cookie", async () => {
  const stored = await storageOf(stack);
  const asked = stack.entra.requests.length;
  const pages = await Promise.all(Array.from({ length: 5 }, () => showForm()));
  for (const { page, browser } of pages) {
    assert.equal(page.headers.get("location"), null);
    const names = page.headers.getSetCookie().map((line) => line.split("=")[0]);
    assert.deepEqual(names, ["m365-form"]);
    assert.match(browser.cookies(stack.url), /^m365-form=[A-Za-z0-9_-]{43}$/);
  }
  assert.deepEqual(await storageOf(stack), stored);
  assert.equal(stack.entra.requests.length, asked);
});

test("row 4: a new client shows the page also when the browser just signed in and Entra knows it", async (t) => {
  const browser = new Browser();
  await signInWith(stack, client, { browser });
  stack.entra.sessionEmail = "ada.novak@contoso.example";
  t.after(() => {
    stack.entra.sessionEmail = undefined;
  });
  const attacker = await registerClient(stack, { redirectUris: ["https://attacker.example/callback"] });
  for (const changes of [{}, { prompt: "none" }]) {
    const answer = await browser.open(good(changes, attacker));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("location"), null);
    assert.match(await answer.text(), /<form method="post"/);
  }
});

test("AP-03: one cookie value per browser, so that parallel tabs live", async () => {
  const browser = new Browser();
  const [first, second] = [await showForm(good(), browser), await showForm(good(), browser)];
  for (const { form } of [first, second]) {
    const answer = await post(browser, form);
    await answer.body?.cancel();
    assert.equal(answer.status, 302);
  }
});

test("row 6 / AP-03: an attacker's own form, posted by another browser, is 403 and sets no cookie", async () => {
  const attacker = await showForm();
  const victim = new Browser();
  await showForm(good(), victim);
  const answer = await post(victim, attacker.form);
  assert.deepEqual(answer.headers.getSetCookie(), []);
  await assertPage(answer, 403);
  const bare = await post(new Browser(), attacker.form);
  assert.deepEqual(bare.headers.getSetCookie(), []);
  await assertPage(bare, 403);
});

for (const origin of [
  "https://evil.example",
  "null",
  "http://localhost:6274",
  "http://127.0.0.1:1",
  "{url}.evil.example",
  "https://{host}",
  "http://localhost:{port}",
  "",
]) {
  test(`AP-03: a form posted with the Origin ${JSON.stringify(origin)} is 403`, async () => {
    const { host, port } = new URL(stack.url);
    const { browser, form } = await showForm();
    const spelled = origin.replace("{url}", stack.url).replace("{host}", host).replace("{port}", port);
    await assertPage(await post(browser, form, { origin: spelled }), 403);
    assert.equal((await post(browser, form)).status, 302, "the form is still good at its own origin");
  });
}

test("AP-03: ALLOWED_ORIGINS is no leave to post the form", async (t) => {
  const lenient = await startStack({ bindings: { ALLOWED_ORIGINS: "https://app.example.com" } });
  t.after(() => lenient.dispose());
  const asking = await registerClient(lenient);
  const browser = new Browser();
  const page = await browser.open(authorizeUrl(lenient, asking, pkcePair().challenge));
  const fields = { ...readForm(await page.text()), decision: "approve" };
  for (const origin of ["https://app.example.com", "null"]) {
    await assertPage(await browser.post(`${lenient.url}/authorize`, fields, { origin }), 403);
  }
});

for (const site of ["cross-site", "same-site", "none", ""]) {
  test(`row 6 / AP-03: a form posted with Sec-Fetch-Site ${JSON.stringify(site)} is 403`, async () => {
    const { browser, form } = await showForm();
    await assertPage(await post(browser, form, { "sec-fetch-site": site }), 403);
  });
}

test("AP-03: browsers that send no Sec-Fetch-Site may post", async () => {
  const { browser, form } = await showForm();
  const answer = await fetch(`${stack.url}/authorize`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ ...form, decision: "approve" }),
    headers: { cookie: browser.cookies(stack.url), origin: stack.url },
  });
  assert.equal(answer.status, 302);
});

test("AP-03: a post without Origin is 403", async () => {
  const { browser, form } = await showForm();
  const answer = await fetch(`${stack.url}/authorize`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ ...form, decision: "approve" }),
    headers: { cookie: browser.cookies(stack.url) },
  });
  await assertPage(answer, 403);
});

test("row 10 / AP-03: of 20 parallel posts of one form exactly one redirects, and the other pages lead to the same place", async () => {
  for (let round = 0; round < 10; round += 1) {
    const { browser, form } = await showForm();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(browser, form)));
    const redirects = answers.filter(({ status }) => status === 302);
    assert.equal(redirects.length, 1);
    const entraUrl = redirects[0]?.headers.get("location") ?? "";
    assert.ok(entraUrl.startsWith(stack.entra.origin));
    for (const answer of answers) {
      if (answer.status === 302) continue;
      const text = await assertPage(answer, 409);
      const link = /href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
      assert.equal(link, entraUrl);
    }
  }
});

test("AP-03: a double click whose first answer is lost still signs in", async () => {
  const { verifier, challenge } = pkcePair();
  const url = authorizeUrl(stack, client, challenge);
  const { browser, form } = await showForm(url);
  // The first answer never arrives in the browser: nor does its cookie.
  const lost = await fetch(`${stack.url}/authorize`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ ...form, decision: "approve" }),
    headers: { cookie: browser.cookies(stack.url), origin: stack.url },
  });
  assert.equal(lost.status, 302);
  const text = await assertPage(await post(browser, form), 409);
  const link = /href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
  const back = await browser.open(await signIn(link));
  const code = new URL(back.headers.get("location") ?? "").searchParams.get("code");
  assert.ok(code !== null);
  tokensOf(await redeem(stack, client, { code, verifier }));
});

test("AP-03: once the login is over, the form is a 409 page that leads nowhere", async () => {
  const { browser, form } = await showForm();
  const entraUrl = (await post(browser, form)).headers.get("location") ?? "";
  await browser.open(await signIn(entraUrl));
  const text = await assertPage(await post(browser, form), 409);
  assert.ok(!text.includes(stack.entra.origin));
});

test("AP-03: after the approving post, a denying one of the same form is a 409 page as well", async () => {
  const { browser, form } = await showForm();
  assert.equal((await post(browser, form)).status, 302);
  await assertPage(await post(browser, { ...form, decision: "deny" }), 409);
});

test("AP-03: a form with any character changed is 403, and starts nothing", async () => {
  const stored = await storageOf(stack);
  const { browser, form } = await showForm();
  const [name = "", box = ""] = Object.entries(form)[0] ?? [];
  const step = Math.max(1, Math.floor(box.length / 60));
  for (let at = 0; at < box.length; at += step) {
    const other = box[at] === "A" ? "B" : "A";
    const changed = `${box.slice(0, at)}${other}${box.slice(at + 1)}`;
    const { status } = await post(browser, { ...form, [name]: changed });
    assert.equal(status, 403, `character ${at}`);
  }
  for (const value of ["", "x", `${box}A`, box.slice(0, -1), "v1.a.b.c", "v2", `${box}.${box}`]) {
    assert.equal((await post(browser, { ...form, [name]: value })).status, 403, value);
  }
  assert.deepEqual(await storageOf(stack), stored);
});

test("AP-03: a cookie with another value is 403", async () => {
  const { form } = await showForm();
  const other = new Browser();
  for (const value of ["", "x", "A".repeat(43), "A".repeat(5000)]) {
    other.setCookie(stack.url, "m365-form", value);
    await assertPage(await post(other, form), 403);
  }
});

test("AP-03: a post that decides nothing, twice or oddly is 4xx", async () => {
  const { browser, form } = await showForm();
  const { origin } = new URL(stack.url);
  const cookie = browser.cookies(stack.url);
  const fields = new URLSearchParams(form);
  const bodies = [
    `${fields}`,
    `${fields}&decision=`,
    `${fields}&decision=maybe`,
    `${fields}&decision=approve&decision=deny`,
    `${fields}&${fields}&decision=approve`,
    "",
    "decision=approve",
    `${fields}&decision=approve&padding=${"x".repeat(70_000)}`,
  ];
  for (const body of bodies) {
    const headers = { cookie, origin, "content-type": "application/x-www-form-urlencoded" };
    const answer = await fetch(`${stack.url}/authorize`, { method: "POST", redirect: "manual", body, headers });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} for ${body.slice(-60)}`);
    assert.equal(answer.headers.get("location"), null);
    await answer.body?.cancel();
  }
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense"]) {
    const headers = { cookie, origin, "content-type": type };
    const body = `${fields}&decision=approve`;
    const answer = await fetch(`${stack.url}/authorize`, { method: "POST", redirect: "manual", body, headers });
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} for ${type}`);
    await answer.body?.cancel();
  }
});

test("row 8 / AP-01: on plain http cookies lose Secure and the prefix, never HttpOnly, Lax, the path", async () => {
  const { browser, form, page } = await showForm();
  const posted = await post(browser, form);
  const lines = [...page.headers.getSetCookie(), ...posted.headers.getSetCookie()];
  assert.ok(lines.length >= 2);
  for (const line of lines) {
    assert.match(line, /^m365-[a-z]+(-[A-Za-z0-9_-]{8})?=[^;]*; HttpOnly; Path=\/; SameSite=Lax; Max-Age=\d+$/);
  }
});

test("row 8 / AP-01: on https every cookie is __Host-, Secure, HttpOnly, SameSite=Lax, Path=/ and has no Domain", async (t) => {
  const origin = "https://mcp.contoso.example";
  const secure = await startStack({ bindings: { WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" } });
  t.after(() => secure.dispose());
  const registered = await secure.mf.dispatchFetch(`${origin}/register`, {
    method: "POST",
    body: JSON.stringify({ redirect_uris: [WEB_REDIRECT], token_endpoint_auth_method: "none" }),
  });
  const registration: unknown = await registered.json();
  assert.ok(typeof registration === "object" && registration !== null && "client_id" in registration);
  const asking = { clientId: String(registration.client_id), redirectUri: WEB_REDIRECT };
  const page = await secure.mf.dispatchFetch(authorizeUrl({ url: origin }, asking, pkcePair().challenge));
  const [formCookie = ""] = page.headers.getSetCookie();
  const posted = await secure.mf.dispatchFetch(`${origin}/authorize`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ ...readForm(await page.text()), decision: "approve" }).toString(),
    headers: {
      origin,
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": "same-origin",
      cookie: formCookie.split(";")[0] ?? "",
    },
  });
  assert.equal(posted.status, 302);
  const lines = [formCookie, ...posted.headers.getSetCookie()];
  assert.ok(lines.some((line) => line.startsWith("__Host-m365-form=")));
  assert.ok(lines.some((line) => /^__Host-m365-login-[A-Za-z0-9_-]{8}=/.test(line)));
  for (const line of lines) {
    const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
    assert.match(pair, /^__Host-m365-/);
    const names = attributes.map((attribute) => attribute.split("=")[0]?.toLowerCase()).sort();
    assert.deepEqual(names, ["httponly", "max-age", "path", "samesite", "secure"]);
    assert.ok(attributes.includes("Path=/") && attributes.includes("SameSite=Lax"));
  }
  assert.match(page.headers.get("strict-transport-security") ?? "", /max-age=31536000/);
});

test("AP-03, D-46: the form cookie is good for an hour, the login cookie for ten minutes", async () => {
  const { browser, form, page } = await showForm();
  const posted = await post(browser, form);
  const lines = [...page.headers.getSetCookie(), ...posted.headers.getSetCookie()];
  for (const [name, seconds] of [
    ["m365-form", 3600],
    ["m365-login-", 600],
  ] as const) {
    const ages = lines.filter((line) => line.startsWith(name)).map((line) => line.split("; Max-Age=")[1]);
    assert.deepEqual(ages, [`${seconds}`], name);
  }
});

test("AP-03: the name of the login cookie carries eight characters of the grant id", async () => {
  const { browser, form } = await showForm();
  const answer = await post(browser, form);
  const state = new URL(answer.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const gid = state.split(".")[1] ?? "";
  assert.ok(answer.headers.getSetCookie().some((line) => line.startsWith(`m365-login-${gid.slice(0, 8)}=`)));
});

test("OA-05: other methods than GET and POST are 405", async () => {
  for (const method of ["PUT", "DELETE", "PATCH"]) {
    const answer = await fetch(`${stack.url}/authorize`, { method });
    await answer.body?.cancel();
    assert.equal(answer.status, 405);
  }
});

test("D-09: on another Host a page is a 308 to the canonical one, with its query, and a post is 421", async (t) => {
  const named = await startStack({ bindings: { WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" } });
  t.after(() => named.dispose());
  const query = "?client_id=x&state=a%20b";
  const shown = await named.mf.dispatchFetch(`https://m365.workers.dev/authorize${query}`, { redirect: "manual" });
  assert.equal(shown.status, 308);
  assert.equal(shown.headers.get("location"), `https://mcp.contoso.example/authorize${query}`);
  await shown.text();
  for (const [accept, status] of [
    ["text/html,application/xhtml+xml,*/*;q=0.8", 308],
    ["application/json", 421],
    ["*/*", 421],
  ] as const) {
    const landing = await named.mf.dispatchFetch("https://m365.workers.dev/", {
      redirect: "manual",
      headers: { accept },
    });
    assert.equal(landing.status, status, accept);
    assert.equal(landing.headers.get("location"), status === 308 ? "https://mcp.contoso.example/" : null);
    await landing.text();
  }
  for (const path of ["/authorize", "/token", "/register", "/revoke"]) {
    const posted = await named.mf.dispatchFetch(`https://m365.workers.dev${path}`, { method: "POST", body: "x=1" });
    assert.equal(posted.status, 421, path);
    await posted.text();
  }
});

test("OA-12: scope_preset is a shorthand for scope, and scope wins", async () => {
  const { scope } = await signInWith(stack, await registerClient(stack), { authorize: { scope_preset: "email" } });
  assert.deepEqual(scope.split(" ").sort(), ["Mail.Read", "Mail.Send"]);
  const both = { scope_preset: "email", scope: "Mail.Read" };
  assert.equal((await signInWith(stack, await registerClient(stack), { authorize: both })).scope, "Mail.Read");
  await assertErrorRedirect(await ask({ scope_preset: "everything" }), refused("invalid_scope"));
});
