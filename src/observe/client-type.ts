/** A label for logs and counters; never an input to a decision. */
export type ClientType = "ai-platform/web-connector" | "mcp-remote" | "websocket-client" | "unknown";

export function detectClientType(headers: Headers): ClientType {
  if (headers.get("Upgrade")?.toLowerCase() === "websocket") return "websocket-client";
  const agent = headers.get("User-Agent") ?? "";
  if (/mcp-remote/i.test(agent)) return "mcp-remote";
  const isPlatform =
    /claude|anthropic|openai|chatgpt/i.test(agent) ||
    /^https:\/\/(claude\.ai|chatgpt\.com|chat\.openai\.com)$/.test(headers.get("Origin") ?? "");
  return isPlatform ? "ai-platform/web-connector" : "unknown";
}
