/** Legacy clients shake hands first; modern ones say in each request what they speak. */
export type Era = "legacy" | "modern";

/** Their answers are the same for everybody. */
export type ListMethod =
  | "tools/list"
  | "resources/list"
  | "resources/templates/list"
  | "prompts/list"
  | "server/discover";
export type ProtectedMethod = "tools/call" | "resources/read";
export type Method = ListMethod | ProtectedMethod | "initialize" | "ping" | "prompts/get";

export interface MethodFacts {
  /** The one era that has it; both where nothing is said. */
  readonly era?: Era;
  /** The member of `params` that the header `Mcp-Name` repeats. */
  readonly named?: "name" | "uri";
}

const FACTS: { readonly [M in Method]: MethodFacts } = {
  // MCP 2026-07-28 removed `initialize` and `ping`; MCP before it had no `server/discover`.
  initialize: { era: "legacy" },
  ping: { era: "legacy" },
  "server/discover": { era: "modern" },
  "tools/list": {},
  "resources/list": {},
  "resources/templates/list": {},
  "prompts/list": {},
  "prompts/get": { named: "name" },
  "tools/call": { named: "name" },
  "resources/read": { named: "uri" },
};

/** The methods we have. Whatever is not here does not exist, in every revision. */
export const METHODS: ReadonlyMap<string, MethodFacts> = new Map(Object.entries(FACTS));

/** Runs in a grant; what does not is discovery. */
export function isProtected(method: string): method is ProtectedMethod {
  return method === "tools/call" || method === "resources/read";
}
