import { ok } from "../core/result.ts";
import { isSameOrigin, readUrl } from "../http/origin.ts";
import { refuse } from "./errors.ts";

/**
 * RFC 8707 §2: whether a `resource` names this server. Clients add or drop the slash and name either path; all of it
 * is one audience, and so are the loopback names with equal port.
 */
export function isOurResource(resource: string, origin: string): boolean {
  const url = readUrl(resource);
  if (url === undefined || !isSameOrigin(url, new URL(origin))) return false;
  // Nothing follows the path, not even the sign of an empty fragment (RFC 8707 §2), and nobody is named before the host.
  return ["/", "/sse", "/mcp"].some((path) => url.href === url.origin + path);
}

/** RFC 8707 §2.2: may be left out. */
export function checkResource(resource: string | undefined, origin: string) {
  if (resource === undefined || isOurResource(resource, origin)) return ok(resource);
  return refuse("invalid_target", "resource_foreign", `This server issues tokens for ${origin} only.`);
}
