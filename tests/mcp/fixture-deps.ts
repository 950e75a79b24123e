import type { Caller, Catalog, McpDeps } from "../../src/mcp/call.ts";

/** Two tools; `broken` is one of those faults that should not happen. */
export const catalog: Catalog = {
  list: (method) => (method === "tools/list" ? { tools: [{ name: "echo" }, { name: "broken" }] } : {}),
  find: (method, { name, arguments: args }) =>
    method === "tools/call" && (name === "echo" || name === "broken")
      ? { call: { kind: "tool", name, arguments: args }, scopes: ["Mail.Read"] }
      : undefined,
  prompt: () => "No such prompt.",
};

export const ANONYMOUS: Caller = { kind: "anonymous" };
export const INVALID: Caller = { kind: "invalid" };
export const REVOKED: Caller = { kind: "signed-in", call: async () => ({ kind: "unauthorized" }) };
export const SIGNED_IN: Caller = {
  kind: "signed-in",
  call: async ({ name, arguments: args }) => {
    if (name === "broken") throw new Error("a fault of ours, with a secret in it");
    const quota = { limit: 300, remaining: 299, resetSeconds: 60 };
    return { kind: "done", result: { content: [{ type: "text", text: JSON.stringify(args) }] }, quota };
  },
};

export function depsFor(caller: Caller, changes: Partial<McpDeps> = {}): McpDeps & { readonly faults: unknown[] } {
  const faults: unknown[] = [];
  return {
    caller,
    catalog,
    challenge: (problem, scopes) => ({
      wwwAuthenticate: `Bearer error="${problem}", scope="${scopes.join(" ")}"`,
      authorization_endpoint: "https://mcp.example.com/authorize",
      resource_metadata: "https://mcp.example.com/.well-known/oauth-protected-resource/mcp",
    }),
    misconfigured: [],
    requireAuthOnInitialize: false,
    requestId: "00000000-0000-4000-8000-000000000000",
    fault: (error) => faults.push(error),
    faults,
    ...changes,
  };
}
