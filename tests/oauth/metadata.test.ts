import assert from "node:assert/strict";
import { test } from "node:test";
import type { GraphScope } from "../../src/graph/scopes.ts";
import {
  authorizationServerMetadata,
  openidConfiguration,
  protectedResourceMetadata,
  resourceMetadataUrl,
} from "../../src/oauth/metadata.ts";
import { ORIGIN } from "./context.ts";

const SCOPES: readonly GraphScope[] = ["User.Read", "Mail.Read"];

test("OA-01: the RFC 8414 document, member by member", () => {
  assert.deepEqual(authorizationServerMetadata(ORIGIN, SCOPES), {
    issuer: ORIGIN,
    authorization_endpoint: `${ORIGIN}/authorize`,
    token_endpoint: `${ORIGIN}/token`,
    registration_endpoint: `${ORIGIN}/register`,
    revocation_endpoint: `${ORIGIN}/revoke`,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
    revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
    code_challenge_methods_supported: ["S256"],
    scopes_supported: ["User.Read", "Mail.Read", "offline_access"],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  });
});

test("OA-02: the OpenID document is the RFC 8414 document and three members", () => {
  assert.deepEqual(openidConfiguration(ORIGIN, SCOPES), {
    ...authorizationServerMetadata(ORIGIN, SCOPES),
    jwks_uri: `${ORIGIN}/.well-known/jwks.json`,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  });
});

test("OA-02: neither openid nor an id_token is offered", () => {
  const { scopes_supported, response_types_supported } = openidConfiguration(ORIGIN, SCOPES);
  assert.deepEqual([scopes_supported.includes("openid"), response_types_supported], [false, ["code"]]);
});

for (const path of ["", "/sse", "/mcp"]) {
  test(`OA-03: the RFC 9728 document of "${path}" names exactly that resource`, () => {
    assert.deepEqual(protectedResourceMetadata(ORIGIN, path, SCOPES), {
      resource: `${ORIGIN}${path}`,
      authorization_servers: [ORIGIN],
      scopes_supported: SCOPES,
      bearer_methods_supported: ["header"],
      resource_name: "Microsoft 365 MCP Server",
    });
  });
}

test("RFC 9728 §3.1: the well-known name stands between host and path", () => {
  assert.equal(resourceMetadataUrl(ORIGIN, "/sse"), `${ORIGIN}/.well-known/oauth-protected-resource/sse`);
});

test("RFC 8414 §2: no document holds what a shell could take for a command", () => {
  const text = JSON.stringify([openidConfiguration(ORIGIN, SCOPES), protectedResourceMetadata(ORIGIN, "/sse", SCOPES)]);
  assert.doesNotMatch(text, /[`$;|<>']/);
});
