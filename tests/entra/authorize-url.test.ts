import assert from "node:assert/strict";
import { test } from "node:test";
import { type EntraLogin, entraAuthorizeUrl, entraScope, readEntraScope } from "../../src/entra/authorize-url.ts";
import { entraRedirectUri, entraUrl } from "../../src/entra/endpoints.ts";
import { ENVIRONMENT, testConfig } from "../environment.ts";

const TENANT = ENVIRONMENT.MICROSOFT_TENANT_ID;
const LOGIN: EntraLogin = {
  origin: "https://mcp.example.com",
  scopes: ["User.Read", "Mail.Read"],
  state: "m365s.state&x=1",
  nonce: "nonce",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
};

test("EN-01: the address is the tenant's authorize endpoint with exactly these parameters", () => {
  const url = new URL(entraAuthorizeUrl(testConfig(), LOGIN));
  assert.equal(`${url.origin}${url.pathname}`, `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/authorize`);
  assert.deepEqual(
    [...url.searchParams].sort(),
    Object.entries({
      client_id: ENVIRONMENT.MICROSOFT_CLIENT_ID,
      response_type: "code",
      response_mode: "query",
      redirect_uri: "https://mcp.example.com/callback",
      scope: "openid profile offline_access User.Read Mail.Read",
      state: "m365s.state&x=1",
      nonce: "nonce",
      code_challenge: LOGIN.codeChallenge,
      code_challenge_method: "S256",
    }).sort(),
  );
});

test("EN-01: the client secret is not in the address", () => {
  assert.equal(entraAuthorizeUrl(testConfig(), LOGIN).includes(ENVIRONMENT.MICROSOFT_CLIENT_SECRET), false);
});

test("EN-01: on loopback the redirect URI is the loopback origin's, to the letter", () => {
  assert.equal(entraRedirectUri("http://127.0.0.1:8787"), "http://127.0.0.1:8787/callback");
});

const ELSEWHERE: Record<string, string> = {
  MICROSOFT_AUTHORITY: "https://login.microsoftonline.us",
  GRAPH_ORIGIN: "https://graph.microsoft.us",
};

test("EN-09: in a national cloud login, keys, tokens and issuer move together", () => {
  const config = testConfig(ELSEWHERE);
  assert.deepEqual(
    [
      entraUrl(config, "oauth2/v2.0/authorize"),
      entraUrl(config, "oauth2/v2.0/token"),
      entraUrl(config, "discovery/v2.0/keys"),
      entraUrl(config, "v2.0", TENANT),
    ],
    [
      `https://login.microsoftonline.us/${TENANT}/oauth2/v2.0/authorize`,
      `https://login.microsoftonline.us/${TENANT}/oauth2/v2.0/token`,
      `https://login.microsoftonline.us/${TENANT}/discovery/v2.0/keys`,
      `https://login.microsoftonline.us/${TENANT}/v2.0`,
    ],
  );
});

test("D-27: with organizations the endpoints are organizations' and the issuer is the person's tenant", () => {
  const config = testConfig({ MICROSOFT_TENANT_ID: "organizations" });
  assert.deepEqual(
    [entraUrl(config, "oauth2/v2.0/token"), entraUrl(config, "v2.0", TENANT)],
    [
      "https://login.microsoftonline.com/organizations/oauth2/v2.0/token",
      `https://login.microsoftonline.com/${TENANT}/v2.0`,
    ],
  );
});

test("EN-09: in a national cloud a scope names its Graph, and the three of OpenID do not", () => {
  const expected =
    "openid profile offline_access https://graph.microsoft.us/User.Read https://graph.microsoft.us/Mail.Read";
  assert.equal(entraScope(testConfig(ELSEWHERE), LOGIN.scopes), expected);
});

for (const origin of ["https://graph.microsoft.com", "https://graph.microsoft.us", "http://127.0.0.1:9100"]) {
  test(`EN-09: scopes written for ${origin} are read back when Entra repeats them`, () => {
    const written = entraScope(testConfig({ GRAPH_ORIGIN: origin }), LOGIN.scopes);
    assert.deepEqual(readEntraScope(written).slice(3), LOGIN.scopes);
  });
}

test("EN-08: a scope as long as an answer may be is read at once", () => {
  const startedMs = performance.now();
  assert.equal(readEntraScope("a".repeat(256 * 1024)).length, 1);
  assert.ok(performance.now() - startedMs < 1000);
});

for (const [scope, names] of [
  ["User.Read Mail.Read", ["User.Read", "Mail.Read"]],
  ["https://graph.microsoft.com/User.Read openid", ["User.Read", "openid"]],
  ["Mail.Read https://graph.microsoft.com/.default", ["Mail.Read", ".default"]],
] as const) {
  test(`EN-08: Entra's "${scope}" is ${names.join(", ")}`, () => assert.deepEqual(readEntraScope(scope), names));
}

test("EN-08: a scope of something else than an address of Graph keeps its name", () => {
  assert.deepEqual(readEntraScope("api://other/Mail.Read urn:x/Mail.Send"), [
    "api://other/Mail.Read",
    "urn:x/Mail.Send",
  ]);
});

test("EN-02: a scope as long as an answer may be is read in one pass", { timeout: 5000 }, () => {
  const startedMs = performance.now();
  assert.equal(readEntraScope("a".repeat(256 * 1024)).length, 1);
  assert.ok(performance.now() - startedMs < 1000);
});
