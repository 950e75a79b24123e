import { resourceMetadataUrl } from "./metadata.ts";

/**
 * RFC 6750 §3 with RFC 9728 §5.1: what a client needs to start signing in.
 * @param path the path that was hit, `/sse` or `/mcp`
 * @param scopes what the operation needs; left out when it needs none
 */
export function signInChallenge(origin: string, path: string, scopes: readonly string[]): string {
  return challenge("invalid_token", "Sign in to Microsoft 365 to use this.", origin, path, scopes);
}

/** RFC 6750 §3.1 `insufficient_scope`. @param scopes those granted and those needed, so that a step-up loses none */
export function stepUpChallenge(origin: string, path: string, scopes: readonly string[]): string {
  return challenge("insufficient_scope", "Sign in again to grant the permission this needs.", origin, path, scopes);
}

/** The values are ours and hold neither quote nor backslash (RFC 9110 §11.2 quoted-string). */
function challenge(error: string, description: string, origin: string, path: string, scopes: readonly string[]) {
  const scope = scopes.length === 0 ? "" : `, scope="${scopes.join(" ")}"`;
  const metadata = resourceMetadataUrl(origin, path);
  return `Bearer error="${error}", error_description="${description}", resource_metadata="${metadata}"${scope}`;
}
