import { isSameOrigin, readUrl } from "../http/origin.ts";

/** Paths of the MCP endpoint. All spellings of `resource` below name the one server. */
export const RESOURCE_PATHS = ["", "/", "/sse", "/mcp"] as const;

/**
 * RFC 8707 §2: whether a `resource` names this server. Clients add or drop the slash and name either path; all of it
 * is one audience, and so are the loopback names with equal port.
 */
export function isOurResource(resource: string, origin: string): boolean {
  const url = readUrl(resource);
  if (url === undefined || url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "")
    return false;
  // A fragment sign without a fragment is still refused: RFC 8707 §2 forbids it.
  if (resource.includes("#") || resource.includes("?")) return false;
  return isSameOrigin(url, new URL(origin)) && ["/", "/sse", "/mcp"].includes(url.pathname);
}
