/** A label for logs and counters; never an input to a decision. */
export type ClientType = "ai-platform/web-connector" | "mcp-remote" | "websocket-client" | "unknown";

export function detectClientType(headers: Headers): ClientType {
  if (headers.get("Upgrade")?.toLowerCase() === "websocket") return "websocket-client";
  const agent = (headers.get("User-Agent") ?? "").toLowerCase();
  if (agent.includes("mcp-remote")) return "mcp-remote";
  const origin = headers.get("Origin") ?? "";
  const isPlatform =
    /claude|anthropic|openai|chatgpt/.test(agent) ||
    /^https:\/\/(claude\.ai|chatgpt\.com|chat\.openai\.com)$/.test(origin);
  return isPlatform ? "ai-platform/web-connector" : "unknown";
}
