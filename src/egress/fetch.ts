/**
 * The only `fetch` in the house. Every caller says which origin it means, and nothing else is reached. Redirects are
 * handed back, not followed: they could lead anywhere.
 * @throws a `TimeoutError` when the signal's deadline passes, a `TypeError` when no answer came, and an `Error` when the
 * URL is not on `origin`, which is our own fault
 */
export async function fetchFrom(
  origin: string,
  url: string,
  init: RequestInit,
  signal: AbortSignal,
): Promise<Response> {
  if (new URL(url).origin !== origin) throw new Error("outbound request to an origin that was not allowed");
  return fetch(url, { ...init, redirect: "manual", signal });
}
