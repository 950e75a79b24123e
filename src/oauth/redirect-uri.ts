import { isLoopback } from "../core/loopback.ts";
import { readUrl } from "../http/origin.ts";

/** A redirect URI that was proven to belong to the client; only `matchRedirectUri` makes one. */
export type RegisteredRedirectUri = string & { readonly __checked: "registered redirect URI" };

export const MAX_REDIRECT_URI_LENGTH = 2048;

/**
 * RFC 8252 §7.1: a private-use scheme is a reversed domain name, so it has a dot. Editors whose own scheme has none are
 * named one by one.
 */
const APP_SCHEME = /^(cursor|vscode|vscode-insiders|[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+):/;

/** Leads into a program of the person's own machine, where any program could be listening. */
export function isNativeRedirect(uri: string): boolean {
  return !uri.startsWith("https:") || isLoopback(new URL(uri).hostname);
}

/** Whether a URI may be registered at all (OAuth 2.1 §2.3, RFC 8252). */
export function isRegistrableRedirectUri(uri: string): boolean {
  // Printable ASCII only: what a parser would silently strip or fold must not get into a comparison.
  if (uri.length > MAX_REDIRECT_URI_LENGTH || !/^[\x21-\x7e]+$/.test(uri) || /[\\*#"`<>]/.test(uri)) return false;
  const url = readUrl(uri);
  // No user information, not even an empty one (RFC 3986 §3.2.1), and no quote but in path and query.
  if (url === undefined || /^[^:]+:\/\/[^/?]*[@']/.test(uri)) return false;
  if (APP_SCHEME.test(uri)) return true;
  // On the text itself: no capitals in the scheme, no omitted slashes.
  return /^https?:\/\/[^/]/.test(uri) && (url.protocol === "https:" || isLoopback(url.hostname));
}

/**
 * RFC 6749 §3.1.2.3 with RFC 9700 §4.1.3: exact text, except for the port of a loopback URI (RFC 8252 §7.3).
 * @param requested as received; may be left out when exactly one URI is registered
 * @returns undefined for one that is not the client's
 */
export function matchRedirectUri(
  registered: readonly string[],
  requested: string | undefined,
): RegisteredRedirectUri | undefined {
  const uri = requested ?? (registered.length === 1 ? registered[0] : undefined) ?? "";
  const isMatch = registered.some((own) => dropPort(own) === dropPort(uri)) && isRegistrableRedirectUri(uri);
  return isMatch ? (uri as RegisteredRedirectUri) : undefined;
}

/** Of a loopback URI, and on the text itself, so that everything but the port still has to be equal to the letter. */
function dropPort(uri: string): string {
  return uri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d{1,5}(?=[/?]|$)/, "$1");
}

/** What a person can judge an address by: its host, or the scheme of a program. */
export function redirectHost(redirectUri: string): string {
  const url = new URL(redirectUri);
  return isWeb(url) ? url.host : `${url.protocol}//`;
}

export function isWeb(url: URL | undefined): boolean {
  return /^https?:$/.test(url?.protocol ?? "");
}
