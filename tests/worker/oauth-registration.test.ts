// RFC 7591: OA-04, ST-03, D-06, DX-09, rows 28 to 31.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertOAuthError, eventually } from "../support/oauth-assert.ts";
import {
  postRegistration,
  type Reply,
  registerClient,
  signInWith,
  textOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const DAY_SECONDS = 86_400;
const MINIMAL = { client_name: "Contoso Notes", redirect_uris: [WEB_REDIRECT] };

const withRedirects = (...redirect_uris: unknown[]) => postRegistration(stack, { ...MINIMAL, redirect_uris });

/** What the server keeps about a registration. */
async function recordOf(clientId: string) {
  const entry = (await stack.kv()).find(
    ({ namespace, key }) => namespace === "OAUTH_KV" && key === `client:${clientId}`,
  );
  assert.ok(entry !== undefined, "no record");
  const record: Readonly<Record<string, unknown>> = JSON.parse(entry.value);
  return { entry, record };
}

function assertLivesFor(expiration: number | undefined, seconds: number, graceSeconds = 120): void {
  assert.ok(expiration !== undefined, "no expiry");
  const left = expiration - Date.now() / 1000;
  assert.ok(left > seconds - 120 && left < seconds + graceSeconds, `${left} s left instead of ${seconds}`);
}

test("OA-04 / DX-09: a name and one https address are enough, and the defaults are those of RFC 7591", async () => {
  const { status, headers, body } = await postRegistration(stack, MINIMAL);
  assert.equal(status, 201);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-content-type-options"), "nosniff");
  assert.match(headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  assert.equal(body.client_name, MINIMAL.client_name);
  assert.deepEqual(body.redirect_uris, MINIMAL.redirect_uris);
  assert.deepEqual(body.grant_types, ["authorization_code", "refresh_token"]);
  assert.deepEqual(body.response_types, ["code"]);
  assert.equal(body.token_endpoint_auth_method, "client_secret_basic");
  assert.ok(textOf(body, "client_secret").length >= 43);
  assert.equal(body.client_secret_expires_at, 0);
  assert.ok(Math.abs(Number(body.client_id_issued_at) - Date.now() / 1000) < 60);
});

test("RFC 7591 §3.2.1: only redirect_uris has to be there", async () => {
  assert.equal((await postRegistration(stack, { redirect_uris: [WEB_REDIRECT] })).status, 201);
});

test("D-06: a public client gets no secret", async () => {
  const { body } = await postRegistration(stack, { ...MINIMAL, token_endpoint_auth_method: "none" });
  assert.equal(body.token_endpoint_auth_method, "none");
  assert.ok(!("client_secret" in body) && !("client_secret_expires_at" in body));
});

test("D-06: client_secret_post gets a secret", async () => {
  const { body } = await postRegistration(stack, { ...MINIMAL, token_endpoint_auth_method: "client_secret_post" });
  assert.equal(body.token_endpoint_auth_method, "client_secret_post");
  assert.ok(textOf(body, "client_secret").length >= 43);
});

test("OA-04: what was sent is echoed, application_type too, and unknown members are ignored", async () => {
  const sent = {
    ...MINIMAL,
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    client_uri: "https://app.example.com",
    logo_uri: "https://app.example.com/logo.png",
    policy_uri: "https://app.example.com/privacy",
    tos_uri: "http://app.example.com/terms",
    contacts: ["ops@app.example.com"],
    application_type: "web",
  };
  const { status, body } = await postRegistration(stack, {
    ...sent,
    scope: "Mail.Read",
    software_id: "x".repeat(500),
    jwks: { keys: [] },
    "client_name#de": "Notizen",
    registration_access_token: "mine",
  });
  assert.equal(status, 201);
  for (const [name, value] of Object.entries(sent)) assert.deepEqual(body[name], value, name);
});

test("RFC 7592 is not offered: neither registration_client_uri nor a registration access token", async () => {
  const { body } = await postRegistration(stack, MINIMAL);
  assert.ok(!("registration_client_uri" in body) && !("registration_access_token" in body));
});

test("OA-04: two equal registrations are two clients with two secrets", async () => {
  const [first, second] = await Promise.all([postRegistration(stack, MINIMAL), postRegistration(stack, MINIMAL)]);
  assert.notEqual(first.body.client_id, second.body.client_id);
  assert.notEqual(first.body.client_secret, second.body.client_secret);
});

const ACCEPTED = [
  "https://app.example.com/callback",
  "https://app.example.com:8443/callback?tenant=a%20b&x=1",
  "http://localhost/callback",
  "http://localhost:6274/oauth/callback",
  "http://127.0.0.1:33418/",
  "http://[::1]:9999/callback",
  "com.example.app:/oauth2redirect",
  "com.example.app://oauth/callback",
  "cursor://anysphere.cursor-retrieval/oauth/user-abc/callback",
  "vscode://contoso.mcp/callback",
  "vscode-insiders://contoso.mcp/callback",
];
for (const uri of ACCEPTED) {
  test(`OA-04: the redirect address ${uri} can be registered`, async () => {
    const { status, body, text } = await withRedirects(uri);
    assert.equal(status, 201, text);
    assert.deepEqual(body.redirect_uris, [uri]);
  });
}

const BAD_REDIRECTS: readonly (readonly [why: string, uri: unknown])[] = [
  ["javascript", "javascript:alert(1)"],
  ["javascript in capitals", "JavaScript:alert(1)"],
  ["javascript after a blank", " javascript:alert(1)"],
  ["javascript after a tab", "\tjavascript:alert(1)"],
  ["javascript after a null character", "\u0000javascript:alert(1)"],
  ["javascript with a newline inside", "java\nscript:alert(1)"],
  ["javascript with a dot and an authority", "javascript.://x/%0aalert(1)"],
  ["data", "data:text/html,<script>alert(1)</script>"],
  ["data in capitals", "DATA:text/html,x"],
  ["vbscript", "vbscript:msgbox(1)"],
  ["file", "file:///etc/passwd"],
  ["file with a host", "file://host/share"],
  ["blob", "blob:https://app.example.com/x"],
  ["about", "about:blank"],
  ["view-source", "view-source:https://app.example.com/"],
  ["mailto", "mailto:ada@app.example.com"],
  ["ftp", "ftp://app.example.com/callback"],
  ["ws", "wss://app.example.com/callback"],
  ["chrome-extension", "chrome-extension://abcdefgh/callback"],
  ["ms-word (a scheme without a dot)", "ms-word:ofe|u|https://x"],
  ["a scheme of its own without a dot", "myapp://callback"],
  ["relative", "/callback"],
  ["relative to the scheme", "//app.example.com/callback"],
  ["no scheme", "app.example.com/callback"],
  ["empty", ""],
  ["a fragment", "https://app.example.com/callback#x"],
  ["an empty fragment", "https://app.example.com/callback#"],
  ["user information", "https://user@app.example.com/callback"],
  ["user and password", "https://user:pw@app.example.com/callback"],
  ["user information on loopback", "http://user@127.0.0.1/callback"],
  ["plain http off loopback", "http://app.example.com/callback"],
  ["plain http on a name that begins like loopback", "http://localhost.evil.example/callback"],
  ["plain http on an address that begins like loopback", "http://127.0.0.1.evil.example/callback"],
  ["plain http on all interfaces", "http://0.0.0.0/callback"],
  ["plain http on a private address", "http://192.168.0.1/callback"],
  ["plain http on a link-local address", "http://169.254.169.254/callback"],
  ["a wildcard host", "https://*.example.com/callback"],
  ["a wildcard path", "https://app.example.com/*"],
  ["a backslash", "https://app.example.com\\@evil.example/callback"],
  ["a trailing blank", "https://app.example.com/callback "],
  ["a blank inside", "https://app.example.com/call back"],
  ["a newline inside", "https://app.example.com/call\nback"],
  ["a quote", 'https://app.example.com/"onload=x'],
  ["no host", "https:///callback"],
  ["a scheme without slashes", "https:app.example.com/callback"],
  ["a number", 42],
  ["null", null],
  ["an object", { uri: WEB_REDIRECT }],
  ["2,049 characters", `https://app.example.com/${"a".repeat(2049 - 24)}`],
];
for (const [why, uri] of BAD_REDIRECTS) {
  test(`row 28: a redirect address that is refused: ${why}`, async () => {
    assertOAuthError(await withRedirects(uri), 400, "invalid_redirect_uri");
    assertOAuthError(await withRedirects(WEB_REDIRECT, uri), 400, "invalid_redirect_uri");
  });
}

test("OA-04: 2,048 characters are not too many", async () => {
  assert.equal((await withRedirects(`https://app.example.com/${"a".repeat(2048 - 24)}`)).status, 201);
});

test("row 30: ten redirect addresses pass, eleven or none are refused", async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `${WEB_REDIRECT}/${index}`);
  assert.equal((await withRedirects(...many(10))).status, 201);
  assertOAuthError(await withRedirects(...many(11)), 400, "invalid_redirect_uri");
  assertOAuthError(await withRedirects(), 400, "invalid_redirect_uri");
  assertOAuthError(await postRegistration(stack, { client_name: "x" }), 400, "invalid_redirect_uri");
  assertOAuthError(await postRegistration(stack, { redirect_uris: WEB_REDIRECT }), 400, "invalid_redirect_uri");
});

const LINKS = ["client_uri", "logo_uri", "policy_uri", "tos_uri"] as const;
const BAD_LINKS = [
  "javascript:alert(1)",
  "JAVASCRIPT:alert(1)",
  " javascript:alert(1)",
  "\u0001javascript:alert(1)",
  "data:text/html,x",
  "vbscript:x",
  "file:///etc/passwd",
  "app.example.com",
  "/relative",
  7,
  ["https://app.example.com"],
];
for (const field of LINKS) {
  test(`row 29: ${field} must be an http or https address`, async () => {
    for (const value of BAD_LINKS) {
      const reply = await postRegistration(stack, { ...MINIMAL, [field]: value });
      assertOAuthError(reply, 400, "invalid_client_metadata");
    }
  });
}

const BAD_METADATA: readonly (readonly [why: string, change: Readonly<Record<string, unknown>>])[] = [
  ["a name of 101 characters", { client_name: "n".repeat(101) }],
  ["a name that is a number", { client_name: 1 }],
  ["a name with control characters", { client_name: "Contoso\u0000\u001b[2J" }],
  ["a name with a line break", { client_name: "Contoso\r\nSet-Cookie: a=b" }],
  ["a method that is not offered", { token_endpoint_auth_method: "private_key_jwt" }],
  ["a method that is a list", { token_endpoint_auth_method: ["none"] }],
  ["grant types as a text", { grant_types: "authorization_code" }],
  ["response types without code", { response_types: ["token"] }],
  ["contacts as a text", { contacts: "ops@app.example.com" }],
];
for (const [why, change] of BAD_METADATA) {
  test(`OA-04: refused as invalid_client_metadata: ${why}`, async () => {
    assertOAuthError(await postRegistration(stack, { ...MINIMAL, ...change }), 400, "invalid_client_metadata");
  });
}

const BAD_BODIES: readonly (readonly [why: string, body: string])[] = [
  ["nothing", ""],
  ["no JSON", "{"],
  ["a list", "[]"],
  ["null", "null"],
  ["a text", '"redirect_uris"'],
  ["a number", "1"],
  ["a form", "redirect_uris=https%3A%2F%2Fapp.example.com%2Fcallback"],
  ["deep nesting", `${"[".repeat(3000)}${"]".repeat(3000)}`],
  ["a deep member", `{"redirect_uris":["${WEB_REDIRECT}"],"jwks":${"[".repeat(3000)}${"]".repeat(3000)}}`],
];
for (const [why, body] of BAD_BODIES) {
  test(`RFC 7591 §3.2.2: a body that is ${why} is 400, never 500`, async () => {
    const reply = await postRegistration(stack, body);
    assert.equal(reply.status, 400, reply.text);
    assert.match(String(reply.body.error), /^invalid_(client_metadata|redirect_uri|request)$/);
  });
}

test("OA-04: members named like those of every object change nothing", async () => {
  const body = `{"redirect_uris":["${WEB_REDIRECT}"],"__proto__":{"token_endpoint_auth_method":"none"},"constructor":{"prototype":{"x":1}}}`;
  const reply = await postRegistration(stack, body);
  assert.equal(reply.status, 201);
  assert.equal(reply.body.token_endpoint_auth_method, "client_secret_basic");
});

test("row 30: 16 KiB pass, one byte more is 413", async () => {
  const padded = (bytes: number): string => {
    const bare = JSON.stringify({ ...MINIMAL, x: "" });
    return JSON.stringify({ ...MINIMAL, x: "p".repeat(bytes - bare.length) });
  };
  assert.equal((await postRegistration(stack, padded(16_384))).status, 201);
  const refused = await postRegistration(stack, padded(16_385));
  assert.equal(refused.status, 413);
  assert.equal(typeof refused.body.error, "string");
});

test("ST-03 / ST-02: the record is readable by the operator, holds the secret as SHA-256 only, and lives a day", async () => {
  const { body } = await postRegistration(stack, { ...MINIMAL, client_uri: "https://app.example.com" });
  const secret = textOf(body, "client_secret");
  const { entry, record } = await recordOf(textOf(body, "client_id"));
  assert.equal(record.clientId, body.client_id);
  assert.equal(record.clientName, MINIMAL.client_name);
  assert.deepEqual(record.redirectUris, MINIMAL.redirect_uris);
  assert.equal(record.tokenEndpointAuthMethod, "client_secret_basic");
  assert.deepEqual(record.grantTypes, ["authorization_code", "refresh_token"]);
  const digest = createHash("sha256").update(secret);
  const hashes = [digest.copy().digest("base64url"), digest.copy().digest("hex"), digest.digest("base64")];
  assert.ok(
    hashes.some((hash) => entry.value.includes(hash)),
    "no SHA-256 of the secret",
  );
  assert.ok(!JSON.stringify(await stack.kv()).includes(secret));
  assertLivesFor(entry.expiration, DAY_SECONDS);
});

test("D-46: the first code that is redeemed makes a registration live 90 days", async () => {
  const client = await registerClient(stack);
  assertLivesFor((await recordOf(client.clientId)).entry.expiration, DAY_SECONDS);
  await signInWith(stack, client);
  await eventually(async () =>
    // Sliding happens once a day, so a day more keeps the promise of 90.
    assertLivesFor((await recordOf(client.clientId)).entry.expiration, 90 * DAY_SECONDS, DAY_SECONDS + 120),
  );
});

test("CS-01: a browser may register, and never with credentials", async () => {
  const reply: Reply = await postRegistration(stack, MINIMAL, { origin: "http://localhost:6274" });
  assert.equal(reply.status, 201);
  assert.ok(["*", "http://localhost:6274"].includes(reply.headers.get("access-control-allow-origin") ?? ""));
  assert.equal(reply.headers.get("access-control-allow-credentials"), null);
});

test("EP-14: /register answers POST only", async () => {
  const response = await fetch(`${stack.url}/register`);
  await response.body?.cancel();
  assert.equal(response.status, 405);
  assert.match(response.headers.get("allow") ?? "", /POST/);
});

test("DO-06: neither the log nor its metadata knows the secret", async () => {
  const { body } = await postRegistration(stack, MINIMAL);
  await stack.settleLogs();
  assert.ok(!stack.logs.join("\n").includes(textOf(body, "client_secret")));
});

test("row 31: 30 registrations in a minute from one address pass; row 30: the flood after them is 429", async (t) => {
  const limited = await startStack({ rateLimits: true });
  t.after(() => limited.dispose());
  const answers: Reply[] = [];
  // A window of the limiter may end on the way: then 30 more pass.
  for (let count = 0; count < 61; count += 1) {
    answers.push(await postRegistration(limited, MINIMAL, { "cf-connecting-ip": "203.0.113.7" }));
  }
  assert.deepEqual(
    answers.slice(0, 30).map(({ status }) => status),
    Array.from({ length: 30 }, () => 201),
  );
  const last = answers.at(-1);
  assert.ok(last !== undefined);
  assert.equal(last.status, 429);
  assert.match(last.headers.get("retry-after") ?? "", /^\d+$/);
  assert.equal(typeof last.body.error, "string");
  const elsewhere = await postRegistration(limited, MINIMAL, { "cf-connecting-ip": "203.0.113.8" });
  assert.equal(elsewhere.status, 201);
});
