import { err, ok, type Result } from "../core/result.ts";
import { isLoopback, readUrl } from "../http/origin.ts";

/** A redirect URI that was proven to belong to the client; only `matchRedirectUri` makes one. */
export type RegisteredRedirectUri = string & { readonly __checked: "registered redirect URI" };

export const MAX_REDIRECT_URI_LENGTH = 2048;

/** Editors whose own scheme has no dot; RFC 8252 §7.1 would ask for one. */
const EDITOR_SCHEMES = ["cursor:", "vscode:", "vscode-insiders:"];

/** RFC 8252 §7.1: a private-use scheme is a reversed domain name, so it has a dot. */
const PRIVATE_USE_SCHEME = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/;

export function isLoopbackRedirect(uri: string): boolean {
  const url = readUrl(uri);
  return url !== undefined && url.protocol === "http:" && isLoopback(url.hostname);
}

/** Leads into a program of the person's own machine, where any program could be listening. */
export function isNativeRedirect(uri: string): boolean {
  return isLoopbackRedirect(uri) || readUrl(uri)?.protocol !== "https:";
}

/** Whether a URI may be registered at all (OAuth 2.1 §2.3, RFC 8252). */
export function isRegistrableRedirectUri(uri: string): boolean {
  // Printable ASCII only: what a parser would silently strip or fold must not get into a comparison.
  if (uri.length > MAX_REDIRECT_URI_LENGTH || !/^[\x21-\x7e]+$/.test(uri) || /[\\*#"'`<>]/.test(uri)) return false;
  const url = readUrl(uri);
  // No user information, not even an empty one (RFC 3986 §3.2.1).
  if (url === undefined || /^[^:]+:\/\/[^/?]*@/.test(uri)) return false;
  // The text must begin as its parsed form does: no case games, no omitted slashes.
  if (!uri.startsWith(url.protocol)) return false;
  const isHttp = /^https?:\/\/[^/]/.test(uri);
  if (url.protocol === "https:") return isHttp;
  if (url.protocol === "http:") return isHttp && isLoopback(url.hostname);
  return EDITOR_SCHEMES.includes(url.protocol) || PRIVATE_USE_SCHEME.test(url.protocol);
}

/**
 * RFC 6749 §3.1.2.3 with RFC 9700 §4.1.3: exact text, except for the port of a loopback URI (RFC 8252 §7.3).
 * @param requested as received; may be left out when exactly one URI is registered
 */
export function matchRedirectUri(
  registered: readonly string[],
  requested: string | undefined,
): Result<RegisteredRedirectUri, "redirect_uri_missing" | "redirect_uri_unregistered"> {
  if (requested === undefined) {
    const [only] = registered;
    return registered.length === 1 && only !== undefined ? ok(proven(only)) : err("redirect_uri_missing");
  }
  const isMatch = registered.some((uri) => uri === requested || differsInPortOnly(uri, requested));
  return isMatch && isRegistrableRedirectUri(requested) ? ok(proven(requested)) : err("redirect_uri_unregistered");
}

function differsInPortOnly(registered: string, requested: string): boolean {
  return (
    isLoopbackRedirect(registered) && isLoopbackRedirect(requested) && dropPort(registered) === dropPort(requested)
  );
}

/** On the text itself, so that everything but the port still has to be equal to the letter. */
function dropPort(uri: string): string {
  return uri.replace(/^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])):\d{1,5}(?=[/?]|$)/, "$1");
}

function proven(uri: string): RegisteredRedirectUri {
  return uri as RegisteredRedirectUri;
}
