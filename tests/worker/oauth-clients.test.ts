// The client libraries people use, as strict as they are: oauth4webapi, openid-client, the MCP SDK and its successor.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as mcp2 from "@modelcontextprotocol/client";
import { auth as authWithSdk, type OAuthClientProvider as SdkProvider } from "@modelcontextprotocol/sdk/client/auth.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";
import { approve, Browser } from "../../fixtures/browser.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertToolResult, assertUnauthorized } from "../support/oauth-assert.ts";
import {
  type AuthMethod,
  getEmails,
  obtainCode,
  postRaw,
  redeem,
  refresh,
  registerClient,
  type TestClient,
  tokensOf,
  WEB_REDIRECT,
} from "../support/oauth-client.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

/** The stack is plain http, on loopback only. */
const HTTP = { [oauth.allowInsecureRequests]: true };

const METHODS: readonly AuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];

function clientAuth(method: AuthMethod, secret: unknown): oauth.ClientAuth {
  switch (method) {
    case "none":
      return oauth.None();
    case "client_secret_basic":
      return oauth.ClientSecretBasic(String(secret));
    case "client_secret_post":
      return oauth.ClientSecretPost(String(secret));
  }
}

for (const algorithm of ["oauth2", "oidc"] as const) {
  for (const method of METHODS) {
    test(`oauth4webapi: the whole flow with ${method}, discovered by ${algorithm}`, async () => {
      const issuer = new URL(stack.url);
      const server = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, { algorithm, ...HTTP }),
      );
      const metadata = {
        client_name: "Strict client",
        redirect_uris: [WEB_REDIRECT],
        token_endpoint_auth_method: method,
      };
      const client = await oauth.processDynamicClientRegistrationResponse(
        await oauth.dynamicClientRegistrationRequest(server, metadata, HTTP),
      );
      const authentication = clientAuth(method, client.client_secret);

      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const url = new URL(server.authorization_endpoint ?? "");
      url.search = new URLSearchParams({
        client_id: client.client_id,
        redirect_uri: WEB_REDIRECT,
        response_type: "code",
        scope: "Mail.Read offline_access",
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
        resource: `${stack.url}/mcp`,
      }).toString();
      const callback = await approve(new Browser(), url.href);
      const parameters = oauth.validateAuthResponse(server, client, callback, state);

      const additionalParameters = { resource: `${stack.url}/mcp` };
      const options = { ...HTTP, additionalParameters };
      const tokens = await oauth.processAuthorizationCodeResponse(
        server,
        client,
        await oauth.authorizationCodeGrantRequest(
          server,
          client,
          authentication,
          parameters,
          WEB_REDIRECT,
          verifier,
          options,
        ),
      );
      assert.equal(tokens.token_type, "bearer");
      assert.equal(tokens.scope, "Mail.Read");
      assertToolResult(await getEmails(stack, tokens.access_token));

      const renewed = await oauth.processRefreshTokenResponse(
        server,
        client,
        await oauth.refreshTokenGrantRequest(server, client, authentication, tokens.refresh_token ?? "", options),
      );
      assertToolResult(await getEmails(stack, renewed.access_token));

      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, authentication, renewed.access_token, HTTP),
      );
      assertUnauthorized(await getEmails(stack, renewed.access_token));
      assertToolResult(await getEmails(stack, tokens.access_token));
      const revocation = { ...HTTP, additionalParameters: { token_type_hint: "refresh_token" } };
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, authentication, renewed.refresh_token ?? "", revocation),
      );
      assertUnauthorized(await getEmails(stack, tokens.access_token));
    });
  }
}

for (const path of ["", "/sse", "/mcp"]) {
  test(`oauth4webapi / RFC 9728 §3.3: the resource ${path || "/"} is described as it is named`, async () => {
    const resource = new URL(`${stack.url}${path}`);
    const request = await oauth.resourceDiscoveryRequest(resource, HTTP);
    const { authorization_servers } = await oauth.processResourceDiscoveryResponse(resource, request);
    assert.deepEqual(authorization_servers, [stack.url]);
  });
}

test("oauth4webapi: an error at /authorize is read as RFC 6749 §4.1.2.1 says", async () => {
  const issuer = new URL(stack.url);
  const server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...HTTP }),
  );
  const client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      server,
      { redirect_uris: [WEB_REDIRECT], token_endpoint_auth_method: "none" },
      HTTP,
    ),
  );
  const url = new URL(server.authorization_endpoint ?? "");
  url.search = new URLSearchParams({ client_id: client.client_id, response_type: "token", state: "s" }).toString();
  const answer = await fetch(url, { redirect: "manual" });
  const location = new URL(answer.headers.get("location") ?? "");
  assert.throws(() => oauth.validateAuthResponse(server, client, location, "s"), oauth.AuthorizationResponseError);
});

test("oauth4webapi: errors at /token are response body errors, with their codes", async () => {
  const issuer = new URL(stack.url);
  const server = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...HTTP }),
  );
  const client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      server,
      { redirect_uris: [WEB_REDIRECT], token_endpoint_auth_method: "none" },
      HTTP,
    ),
  );
  const refused = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), "m365r.x.y", HTTP);
  await assert.rejects(oauth.processRefreshTokenResponse(server, client, refused), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError);
    assert.deepEqual([error.status, error.error], [400, "invalid_grant"]);
    return true;
  });
  const unknown = { client_id: "nobody" };
  const rejected = await oauth.refreshTokenGrantRequest(
    server,
    unknown,
    oauth.ClientSecretBasic("x"),
    "m365r.x.y",
    HTTP,
  );
  // RFC 6749 §5.2: 401 with a challenge; the library reads the challenge first.
  await assert.rejects(oauth.processRefreshTokenResponse(server, unknown, rejected), (error) => {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError || error instanceof oauth.ResponseBodyError);
    assert.equal(error.status, 401);
    return true;
  });
});

/** The library's default for a client with a secret is to post it; each uses the secret that was just registered. */
const OPENID_AUTH: Readonly<Record<AuthMethod, openid.ClientAuth>> = {
  none: openid.None(),
  client_secret_basic: openid.ClientSecretBasic(),
  client_secret_post: openid.ClientSecretPost(),
};

for (const algorithm of ["oidc", "oauth2"] as const) {
  for (const method of METHODS) {
    test(`openid-client: the whole flow with ${method}, discovered by ${algorithm}`, async () => {
      const issuer = new URL(stack.url);
      const insecure = { execute: [openid.allowInsecureRequests], algorithm };
      const metadata = {
        redirect_uris: [WEB_REDIRECT],
        token_endpoint_auth_method: method,
        client_name: "Relying party",
      };
      const config = await openid.dynamicClientRegistration(issuer, metadata, OPENID_AUTH[method], insecure);
      assert.equal(config.serverMetadata().issuer, stack.url);

      const verifier = openid.randomPKCECodeVerifier();
      const state = openid.randomState();
      const url = openid.buildAuthorizationUrl(config, {
        redirect_uri: WEB_REDIRECT,
        scope: "Mail.Read",
        state,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const callback = await approve(new Browser(), url.href);
      const tokens = await openid.authorizationCodeGrant(config, callback, {
        pkceCodeVerifier: verifier,
        expectedState: state,
      });
      assertToolResult(await getEmails(stack, tokens.access_token));
      assert.ok((tokens.expiresIn() ?? 0) > 3500);

      const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? "");
      assertToolResult(await getEmails(stack, renewed.access_token));
      await openid.tokenRevocation(config, renewed.refresh_token ?? "");
      assertUnauthorized(await getEmails(stack, renewed.access_token));
      await assert.rejects(openid.refreshTokenGrant(config, renewed.refresh_token ?? ""), openid.ResponseBodyError);
    });
  }
}

/** What an MCP client remembers between its calls. */
interface Memory {
  information?: OAuthClientInformationMixed | undefined;
  tokens?: OAuthTokens | undefined;
  verifier?: string;
  redirect?: URL;
  readonly wiped: string[];
}

const NATIVE_REDIRECT = "http://localhost:33418/oauth/callback";

function createProvider(memory: Memory): SdkProvider & mcp2.OAuthClientProvider {
  return {
    redirectUrl: NATIVE_REDIRECT,
    clientMetadata: {
      client_name: "MCP client",
      redirect_uris: [NATIVE_REDIRECT],
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    },
    state: () => "state-of-the-mcp-client",
    clientInformation: () => memory.information,
    saveClientInformation(information: OAuthClientInformationMixed) {
      memory.information = information;
    },
    tokens: () => memory.tokens,
    saveTokens(tokens: OAuthTokens) {
      memory.tokens = tokens;
    },
    redirectToAuthorization(url: URL) {
      memory.redirect = url;
    },
    saveCodeVerifier(verifier: string) {
      memory.verifier = verifier;
    },
    codeVerifier: () => memory.verifier ?? "",
    invalidateCredentials(scope: string) {
      memory.wiped.push(scope);
      if (scope === "tokens" || scope === "all") memory.tokens = undefined;
      if (scope === "client" || scope === "all") memory.information = undefined;
    },
  };
}

type Auth = (
  provider: SdkProvider & mcp2.OAuthClientProvider,
  options: { serverUrl: string; authorizationCode?: string; iss?: string },
) => Promise<string>;

const LIBRARIES: readonly (readonly [name: string, auth: Auth])[] = [
  ["MCP SDK 1.32.2", (provider, { iss: _, ...options }) => authWithSdk(provider, options)],
  ["@modelcontextprotocol/client 2.4.0", (provider, options) => mcp2.auth(provider, options)],
];

for (const [name, auth] of LIBRARIES) {
  for (const path of ["/sse", "/mcp"]) {
    const signIn = async (memory: Memory): Promise<SdkProvider & mcp2.OAuthClientProvider> => {
      const provider = createProvider(memory);
      const serverUrl = `${stack.url}${path}`;
      assert.equal(await auth(provider, { serverUrl }), "REDIRECT");
      assert.ok(memory.redirect !== undefined);
      assert.equal(memory.redirect.searchParams.get("resource"), serverUrl);
      const callback = await approve(new Browser(), memory.redirect.href);
      const [code, iss] = [callback.searchParams.get("code") ?? "", callback.searchParams.get("iss") ?? ""];
      assert.equal(await auth(provider, { serverUrl, authorizationCode: code, iss }), "AUTHORIZED");
      return provider;
    };

    test(`${name}: auth() on ${path} registers, redirects, is authorized, and refreshes`, async () => {
      const memory: Memory = { wiped: [] };
      const provider = await signIn(memory);
      const first = memory.tokens;
      assertToolResult(await getEmails(stack, first?.access_token, { path }));
      assert.equal(await auth(provider, { serverUrl: `${stack.url}${path}` }), "AUTHORIZED");
      assert.notEqual(memory.tokens?.refresh_token, first?.refresh_token);
      assertToolResult(await getEmails(stack, memory.tokens?.access_token, { path }));
      assert.deepEqual(memory.wiped, []);
    });

    test(`${name}: a refresh token that was revoked costs the tokens on ${path}, never the registration`, async () => {
      const memory: Memory = { wiped: [] };
      const provider = await signIn(memory);
      const registered = memory.information?.client_id;
      const client: TestClient = {
        clientId: registered ?? "",
        clientSecret: undefined,
        method: "none",
        redirectUri: NATIVE_REDIRECT,
      };
      // Somebody else rotated twice: what the client holds is two generations old.
      const second = await refresh(stack, client, memory.tokens?.refresh_token ?? "");
      await refresh(stack, client, String(second.body.refresh_token));
      assert.equal(await auth(provider, { serverUrl: `${stack.url}${path}` }), "REDIRECT");
      assert.ok(!memory.wiped.includes("client") && !memory.wiped.includes("all"), String(memory.wiped));
      assert.equal(memory.information?.client_id, registered);
    });
  }
}

test("DX-02: a web application: one grant type, a token request without redirect_uri, a call without Content-Type", async () => {
  const client = await registerClient(stack, {
    method: "client_secret_basic",
    metadata: { client_uri: "https://app.example.com", grant_types: ["authorization_code"] },
  });
  const code = await obtainCode(stack, client);
  const { accessToken } = tokensOf(await redeem(stack, client, code, { changes: { redirect_uri: undefined } }));
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "getEmails", arguments: { count: 1 } },
  };
  const answer = await postRaw(`${stack.url}/sse`, JSON.stringify(message), ["Authorization", `Bearer ${accessToken}`]);
  assertToolResult(answer);
});
