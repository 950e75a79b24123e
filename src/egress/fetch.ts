/**
 * The only `fetch` in the house, so its callers are all that this server reaches by URL: Entra, the certificates of
 * Cloudflare Access, client metadata documents and, in `custom-provider` mode, the gateway. Redirects are handed back, not
 * followed: they could lead anywhere.
 * @throws what `isTimeout` recognises when the deadline passes, also while the body is read, and a `TypeError` when no
 * answer came
 */
export function fetchOnce(url: string, init: RequestInit, deadlineMs: number): Promise<Response> {
  return fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(deadlineMs) });
}

/** Whether a deadline of `AbortSignal.timeout` has passed. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === "TimeoutError";
}
