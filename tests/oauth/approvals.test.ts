// AP-01, AP-02, AP-07, D-32: what a browser remembers of earlier approvals, and when that counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isRemembered, readApprovals, rememberApproval } from "../../src/oauth/approvals.ts";
import { STATIC_CLIENT_ID } from "../../src/oauth/client.ts";
import type { AuthorizationRequest } from "../../src/oauth/grants.ts";
import { KEY_THREE, KEY_TWO, testConfig } from "../environment.ts";
import { fakeContext, ORIGIN, PUBLIC_CLIENT } from "./context.ts";

const REQUEST: AuthorizationRequest = {
  clientId: PUBLIC_CLIENT.clientId,
  redirectUri: "https://app.example.com/callback",
  scopes: ["Mail.Read", "Mail.Send"],
  resource: ORIGIN,
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  state: "s",
};

type Changes = Readonly<Record<string, string>>;

/** A browser that comes back with what it was given. */
function browser(setCookie: string | undefined, config: Changes = {}, origin = ORIGIN) {
  const headers: Record<string, string> = setCookie === undefined ? {} : { Cookie: setCookie.split(";")[0] ?? "" };
  return fakeContext({ path: "/authorize", origin, init: { headers }, config: testConfig(config) });
}

const cookie = await rememberApproval(REQUEST, browser(undefined));
const value = cookie.slice(cookie.indexOf("=") + 1, cookie.indexOf(";"));

function remembered(request: AuthorizationRequest, setCookie: string | undefined = cookie, config: Changes = {}) {
  return isRemembered(request, browser(setCookie, config));
}

const FULL_PAGE: readonly (readonly [what: string, changes: Partial<AuthorizationRequest>])[] = [
  ["another client", { clientId: "other" }],
  ["another redirect", { redirectUri: "https://app.example.com/other" }],
  ["a scope more", { scopes: ["Mail.Read", "Mail.Send", "User.Read"] }],
  ["a scope less", { scopes: ["Mail.Read"] }],
  ["another resource", { resource: `${ORIGIN}/sse` }],
];

for (const [what, changes] of FULL_PAGE) {
  test(`AP-02: ${what} is not remembered`, async () =>
    assert.equal(await remembered({ ...REQUEST, ...changes }), false));
}

const NEVER: readonly (readonly [what: string, changes: Partial<AuthorizationRequest>])[] = [
  ["a loopback redirect", { redirectUri: "http://localhost:3334/oauth/callback" }],
  ["a loopback redirect with TLS", { redirectUri: "https://localhost:3334/oauth/callback" }],
  ["a private-scheme redirect", { redirectUri: "com.example.app:/callback" }],
  ["an editor's redirect", { redirectUri: "cursor://anysphere.cursor-mcp/oauth/callback" }],
  ["the static client", { clientId: STATIC_CLIENT_ID }],
];

for (const [what, changes] of NEVER) {
  test(`AP-02: ${what} always shows the full page`, async () => {
    const request = { ...REQUEST, ...changes };
    const approved = await rememberApproval(request, browser(undefined));
    assert.equal(await remembered(request, approved), false);
  });
}

test("AP-01: any character of the cookie changed and nothing is remembered", async () => {
  for (let index = 0; index < value.length; index += 5) {
    const other = value[index] === "a" ? "b" : "a";
    const changed = `${value.slice(0, index)}${other}${value.slice(index + 1)}`;
    assert.deepEqual(await readApprovals(browser(`__Host-m365-approvals=${changed}`)), [], `character ${index}`);
  }
});

for (const [what, text] of [
  ["nothing", ""],
  ["no signature", value.slice(65)],
  ["no payload", value.slice(0, 65)],
  ["padding too much", `${value}=`],
  ["a blank", `${value.slice(0, 70)} ${value.slice(71)}`],
] as const) {
  test(`AP-01: a cookie with ${what} is nothing and no fault`, async () => {
    assert.deepEqual(await readApprovals(browser(`__Host-m365-approvals=${text}`)), []);
  });
}

test("AP-01: over https a cookie without the prefix is not read", async () => {
  assert.deepEqual(await readApprovals(browser(`m365-approvals=${value}`)), []);
});

test("AP-01: another signing key remembers nothing", async () => {
  assert.equal(await remembered(REQUEST, cookie, { COOKIE_SECRET: "Zz9yY8xX7wW6vV5uU4tT3sS2rR1qQ0pP" }), false);
});

test("AP-07: another sealing key remembers nothing", async () => {
  assert.equal(await remembered(REQUEST, cookie, { COOKIE_ENCRYPTION_KEY: KEY_THREE }), false);
});

test("AP-07: after a rotation of both keys the cookie still counts", async () => {
  const { COOKIE_SECRET } = testConfig();
  const rotated = {
    COOKIE_ENCRYPTION_KEY: KEY_THREE,
    COOKIE_ENCRYPTION_KEY_PREVIOUS: KEY_TWO,
    COOKIE_SECRET: "Zz9yY8xX7wW6vV5uU4tT3sS2rR1qQ0pP",
    COOKIE_SECRET_PREVIOUS: COOKIE_SECRET,
  };
  assert.equal(await remembered(REQUEST, cookie, rotated), true);
});

test("AP-01: the cookie is a signature in hexadecimal and base64, for a year, and nobody else's", () => {
  assert.match(
    cookie,
    /^__Host-m365-approvals=[0-9a-f]{64}\.[A-Za-z0-9+/]+=*; HttpOnly; Secure; Path=\/; SameSite=Lax; Max-Age=31536000$/,
  );
});

test("AP-07: neither the cookie nor what base64 hides names client or redirect", () => {
  const inner = atob(value.slice(65));
  for (const text of [REQUEST.clientId, "app.example.com", "Mail.Read"]) {
    assert.equal(`${cookie} ${inner}`.includes(text), false, text);
  }
});

test("AP-02: what was approved is remembered, whatever the state and the challenge", async () => {
  assert.equal(await remembered({ ...REQUEST, state: "other", codeChallenge: "other" }), true);
});

test("AP-02: the order of scopes does not matter", async () => {
  assert.equal(await remembered({ ...REQUEST, scopes: ["Mail.Send", "Mail.Read"] }), true);
});

test("AP-01: without a cookie nothing is remembered", async () => {
  assert.equal(await isRemembered(REQUEST, browser(undefined)), false);
});

test("AP-01: fifty approvals are kept, the oldest leaves, and the cookie fits a browser", async () => {
  let latest: string | undefined;
  const requests = Array.from({ length: 51 }, (_, index) => ({ ...REQUEST, clientId: `client-${index}` }));
  for (const request of requests) latest = await rememberApproval(request, browser(latest));
  const found = await Promise.all(requests.map((request) => remembered(request, latest)));
  assert.deepEqual(found, [false, ...Array.from({ length: 50 }, () => true)]);
  assert.ok((latest ?? "").length <= 4096, `${latest?.length} bytes`);
});

test("AP-01: approving again moves to the end and takes no second place", async () => {
  const again = await rememberApproval(REQUEST, browser(cookie));
  assert.equal((await readApprovals(browser(again))).length, 1);
});
