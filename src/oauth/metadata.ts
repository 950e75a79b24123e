import type { GraphScope } from "../graph/scopes.ts";
import { AUTH_METHODS, GRANT_TYPES } from "./client.ts";

/**
 * RFC 8414 §2. `private_key_jwt` and more exist; these are the members that describe what we do.
 * @param issuer the origin without a trailing slash
 */
export function authorizationServerMetadata(issuer: string, catalogue: readonly GraphScope[]) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    registration_endpoint: `${issuer}/register`,
    revocation_endpoint: `${issuer}/revoke`,
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    grant_types_supported: GRANT_TYPES,
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    revocation_endpoint_auth_methods_supported: AUTH_METHODS,
    code_challenge_methods_supported: ["S256"],
    scopes_supported: [...catalogue, "offline_access"],
    // RFC 9207 §3
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
  };
}

/**
 * Some clients ask for OpenID Provider metadata first and insist on these three members (OpenID Connect Discovery §3).
 * Neither `openid` nor an id_token is offered, so the key set is empty.
 */
export function openidConfiguration(issuer: string, catalogue: readonly GraphScope[]) {
  return {
    ...authorizationServerMetadata(issuer, catalogue),
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

/**
 * RFC 9728 §2, one document per spelling of the resource.
 * @param path "", "/sse" or "/mcp"
 */
export function protectedResourceMetadata(issuer: string, path: string, catalogue: readonly GraphScope[]) {
  return {
    resource: `${issuer}${path}`,
    authorization_servers: [issuer],
    scopes_supported: catalogue,
    bearer_methods_supported: ["header"],
    resource_name: "Microsoft 365 MCP Server",
  };
}

/** RFC 9728 §3.1: the well-known name goes between host and path. */
export function resourceMetadataUrl(issuer: string, path: string): string {
  return `${issuer}/.well-known/oauth-protected-resource${path}`;
}
