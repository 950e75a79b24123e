import { isLoopback } from "../core/loopback.ts";
import { readUrl } from "./origin.ts";

/** Who may read an answer from a browser: nobody, anybody, or the allowed origins. */
export type CorsPolicy = "none" | "public" | "allowed-origins";

const REQUEST_HEADERS =
  "Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID";
const EXPOSED_HEADERS = "WWW-Authenticate, Mcp-Session-Id, MCP-Protocol-Version, X-Request-Id, Retry-After, RateLimit";

/** How long a browser may remember a preflight: two hours is the most that Chromium keeps. */
const PREFLIGHT_SECONDS = "7200";

/**
 * An origin passes when it is on the list, is our own, or is loopback while we are served on loopback.
 * `null` never passes: sandboxed frames and redirects of other sites send it.
 */
export function isAllowedOrigin(origin: string, serving: URL, allowed: readonly string[]): boolean {
  const url = readUrl(origin);
  if (url?.origin !== origin) return false;
  const isLocal = isLoopback(url.hostname) && isLoopback(serving.hostname);
  return allowed.includes(origin) || origin === serving.origin || isLocal;
}

/**
 * Fetch §3.2: adds the answer's CORS fields. Credentials are never allowed, so `*` is safe where it stands.
 * @param allowed the origin that asked, where it may
 */
export function addCorsHeaders(headers: Headers, policy: CorsPolicy, allowed: string | undefined): void {
  if (policy === "allowed-origins") headers.append("Vary", "Origin");
  const origin = policy === "public" ? "*" : allowed;
  if (policy === "none" || !origin) return;
  headers.set("Access-Control-Allow-Origin", origin);
  headers.set("Access-Control-Expose-Headers", EXPOSED_HEADERS);
}

/** The preflight's own fields; `addCorsHeaders` adds the origin. */
export function preflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
      "Access-Control-Allow-Headers": REQUEST_HEADERS,
      "Access-Control-Max-Age": PREFLIGHT_SECONDS,
    },
  });
}
