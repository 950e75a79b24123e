import { resourceMetadataUrl } from "./metadata.ts";

/**
 * RFC 6750 §3 with RFC 9728 §5.1: what a client needs to start signing in.
 * @param path the path that was hit, `/sse` or `/mcp`
 * @param scopes what the operation needs; left out when it needs none
 */
export function signInChallenge(origin: string, path: string, scopes: readonly string[]): string {
  return challenge([
    ["error", "invalid_token"],
    ["error_description", "Sign in to Microsoft 365 to use this."],
    ["resource_metadata", resourceMetadataUrl(origin, path)],
    ...scopeParameter(scopes),
  ]);
}

/** RFC 6750 §3.1 `insufficient_scope`. @param scopes those granted and those needed, so that a step-up loses none */
export function stepUpChallenge(origin: string, path: string, scopes: readonly string[]): string {
  return challenge([
    ["error", "insufficient_scope"],
    ["error_description", "This needs a permission that was not granted; sign in again to grant it."],
    ...scopeParameter(scopes),
    ["resource_metadata", resourceMetadataUrl(origin, path)],
  ]);
}

function scopeParameter(scopes: readonly string[]): [string, string][] {
  return scopes.length === 0 ? [] : [["scope", scopes.join(" ")]];
}

/** The values are ours and hold neither quote nor backslash (RFC 9110 §11.2 quoted-string). */
function challenge(parameters: readonly (readonly [string, string])[]): string {
  return `Bearer ${parameters.map(([name, value]) => `${name}="${value}"`).join(", ")}`;
}
