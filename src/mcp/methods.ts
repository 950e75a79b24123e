/** The methods we have. Whatever is not here does not exist, in every revision. */
const LISTS = ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "server/discover"] as const;
const DISCOVERY = [...LISTS, "initialize", "ping", "prompts/get"] as const;
const PROTECTED = ["tools/call", "resources/read"] as const;

/** Their answers are the same for everybody. */
export type ListMethod = (typeof LISTS)[number];
export type DiscoveryMethod = (typeof DISCOVERY)[number];
export type ProtectedMethod = (typeof PROTECTED)[number];
export type Method = DiscoveryMethod | ProtectedMethod;

/** Legacy clients shake hands first; modern ones say in each request what they speak. */
export type Era = "legacy" | "modern";

export function isDiscoveryMethod(method: string): method is DiscoveryMethod {
  return (DISCOVERY as readonly string[]).includes(method);
}

/** MCP 2026-07-28 removed `initialize` and `ping`; MCP before it had no `server/discover`. */
export function isMethod(method: string, era: Era): method is Method {
  const isElsewhere = era === "modern" ? /^(initialize|ping)$/ : /^server\/discover$/;
  return (isDiscoveryMethod(method) || (PROTECTED as readonly string[]).includes(method)) && !isElsewhere.test(method);
}

/** A notification by its name alone; old clients write `initialized`. */
export function isNotificationMethod(method: string): boolean {
  return method === "initialized" || method.startsWith("notifications/");
}
