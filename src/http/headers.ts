/** Headers that belong on every answer of one kind. */

/** What an answer is, for the headers it gets. */
export type AnswerKind = "api" | "public-document" | "page";

/** Nothing in an API answer may be run, framed or fetched from. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'";

/** RFC 6797 §6.1: one year. */
const TRANSPORT_POLICY = "max-age=31536000";

/**
 * Fills in what the handler left out, so that no handler can forget it.
 * @param isHttps the scheme of the request URL
 */
export function completeHeaders(headers: Headers, kind: AnswerKind, requestId: string, isHttps: boolean): void {
  headers.set("X-Request-Id", requestId);
  headers.set("X-Content-Type-Options", "nosniff");
  if (!headers.has("Referrer-Policy")) headers.set("Referrer-Policy", "no-referrer");
  if (!headers.has("Content-Security-Policy")) headers.set("Content-Security-Policy", API_POLICY);
  if (kind !== "public-document" && !headers.has("Cache-Control")) headers.set("Cache-Control", "no-store");
  if (isHttps) headers.set("Strict-Transport-Security", TRANSPORT_POLICY);
}
