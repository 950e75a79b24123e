/** The methods we have. Whatever is not here does not exist, in every revision. */
export const DISCOVERY_METHODS = [
  "initialize",
  "ping",
  "server/discover",
  "tools/list",
  "resources/list",
  "resources/templates/list",
  "prompts/list",
  "prompts/get",
] as const;

export const PROTECTED_METHODS = ["tools/call", "resources/read"] as const;

export type DiscoveryMethod = (typeof DISCOVERY_METHODS)[number];
export type ProtectedMethod = (typeof PROTECTED_METHODS)[number];
export type Method = DiscoveryMethod | ProtectedMethod;

/** MCP 2026-07-28 removed these; MCP before it had no `server/discover`. */
const LEGACY_ONLY: readonly Method[] = ["initialize", "ping"];
const MODERN_ONLY: readonly Method[] = ["server/discover"];

export function isDiscoveryMethod(method: string): method is DiscoveryMethod {
  return (DISCOVERY_METHODS as readonly string[]).includes(method);
}

export function isMethod(method: string): method is Method {
  return isDiscoveryMethod(method) || (PROTECTED_METHODS as readonly string[]).includes(method);
}

export function existsInModern(method: Method): boolean {
  return !LEGACY_ONLY.includes(method);
}

export function existsInLegacy(method: Method): boolean {
  return !MODERN_ONLY.includes(method);
}

/** A notification by its name alone; old clients write `initialized`. */
export function isNotificationMethod(method: string): boolean {
  return method === "initialized" || method.startsWith("notifications/");
}
