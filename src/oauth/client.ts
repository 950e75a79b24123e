import * as v from "valibot";

/** How a client may say who it is at /token and /revoke (RFC 6749 §2.3). */
export const AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"] as const;
export const GRANT_TYPES = ["authorization_code", "refresh_token"] as const;

const Text = v.optional(v.string());

/** A client as registered (RFC 7591 §2). RFC 7591 lists more members; these are the ones we store. */
export const CLIENT = v.object({
  clientId: v.string(),
  clientName: v.string(),
  redirectUris: v.array(v.string()),
  tokenEndpointAuthMethod: v.picklist(AUTH_METHODS),
  grantTypes: v.array(v.picklist(GRANT_TYPES)),
  /** SHA-256; the secret has 256 random bits, so a slow hash would add nothing. */
  clientSecretHash: Text,
  clientUri: Text,
  logoUri: Text,
  policyUri: Text,
  tosUri: Text,
  contacts: v.optional(v.array(v.string())),
  registeredAt: v.optional(v.number()),
  lastUsedAt: v.optional(v.number()),
});

export type Client = v.InferOutput<typeof CLIENT>;
export type AuthMethod = Client["tokenEndpointAuthMethod"];

/** Known to mcp-remote and others without registration; anybody may use it, so it always shows the full page. */
export const STATIC_CLIENT_ID = "rWJu8WV42zC5pfGT";

export const STATIC_CLIENT: Client = {
  clientId: STATIC_CLIENT_ID,
  clientName: "Local MCP client",
  redirectUris: [
    "http://localhost/oauth/callback",
    "http://localhost/callback",
    "http://127.0.0.1/oauth/callback",
    "http://127.0.0.1/callback",
    "http://[::1]/oauth/callback",
    "http://[::1]/callback",
  ],
  tokenEndpointAuthMethod: "none",
  grantTypes: [...GRANT_TYPES],
};

/** What a client id may look like before it is looked up: visible ASCII, RFC 6749 Appendix A.1. */
export function isClientId(text: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(text);
}
