/** RFC 7636 §4.2: BASE64URL(SHA256(verifier)) is always 43 characters. */
export function isCodeChallenge(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

/** RFC 7636 §4.1: 43 to 128 unreserved characters. */
export function isCodeVerifier(text: string): boolean {
  return /^[\w.~-]{43,128}$/.test(text);
}

/** RFC 7636 §4.6, the only method we support (OAuth 2.1 §7.5.2): BASE64URL(SHA256(verifier)). */
export { sha256 as computeChallenge } from "../crypto/hash.ts";
