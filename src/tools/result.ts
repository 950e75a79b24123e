import type { JsonObject } from "../core/json.ts";
import { clipText } from "../core/text.ts";
import type { FailureType, GraphFailure } from "../graph/failure.ts";
import type { Tool } from "./define.ts";

/** MCP CallToolResult, as far as we use it. */
export interface ToolResult {
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
  /** What the tool declares, or `error`. */
  readonly structuredContent: JsonObject & { readonly error?: JsonObject };
  readonly isError?: true;
}

/** What the caller can correct: a normal result, so that the model reads it (MCP 2025-11-25 SEP-1303). */
export function validationResult(tool: Tool, field: string, description: string): ToolResult {
  const text = `${tool.name} was not called: ${field} ${description}. Correct it and call again.`;
  return failed(text, { type: "validation_error", field, description });
}

/** What Microsoft 365 or the way to it refused. */
export function failureResult(tool: Tool, failure: GraphFailure, requestId: string): ToolResult {
  const { type, code, status, retryAfterSeconds, quoted } = failure;
  const isUnsure = !tool.annotations.readOnlyHint && failure.isUncertain === true;
  const scope = type === "graph_forbidden" ? tool.scopes.join(" ") : undefined;
  // Whoever repeats a send without looking may have sent twice.
  const retryable = failure.retryable && !isUnsure;
  const wait = `Try again after ${retryAfterSeconds ?? 60} seconds.`;
  const [what, advice = wait] = (type === "graph_unavailable" && TEXTS[status ?? 0]) || TEXTS[type];
  const steps = isUnsure ? "It may have been done: check before repeating." : (tool.hints?.[type] ?? advice);
  const context = [tool.name, status && `status ${status}`, code && `code ${code}`, `request id ${requestId}`];
  return failed(
    `${tool.name} failed: ${[what, scope].filter(Boolean).join(" ")}.${quoted ? ` Microsoft says: "${quote(quoted)}".` : ""} Context: ${context.filter(Boolean).join(", ")}. Troubleshooting: ${steps}`,
    // What is undefined here is left out of the JSON.
    { type, code, status, retryable, retryAfterSeconds, requestId, scope },
  );
}

function failed(text: string, error: JsonObject): ToolResult {
  return { content: [{ type: "text", text }], structuredContent: { error }, isError: true };
}

/** Other people's words: one line without marks that reorder it, clipped. */
function quote(text: string): string {
  return clipText(text.replace(/[\s"\p{C}]+/gu, " "), 300);
}

/** What happened, and what to do; without advice: try again later. A status says more than a type. */
const TEXTS: { readonly [Type in FailureType]: Texts } & { readonly [status: number]: Texts } = {
  500: ["Microsoft 365 had an internal error"],
  502: ["Microsoft 365 could not be reached"],
  graph_bad_request: ["Microsoft 365 refused the request", "Check the arguments, then call again."],
  graph_unauthorized: ["Microsoft 365 refused the sign-in", "Sign in again."],
  graph_forbidden: [
    "it needs the permission",
    "Sign in again and consent, or ask an administrator: Azure Portal, app registration, API permissions, grant admin consent. Your tenant may require it.",
  ],
  graph_not_found: ["it was not found", "List it again: ids change when things move."],
  graph_conflict: ["somebody else changed it", "Read it again, then repeat."],
  graph_too_large: ["it is too large", "Send less, or a link instead."],
  graph_throttled: ["Microsoft 365 asks to slow down"],
  graph_unavailable: ["Microsoft 365 is not available"],
  graph_timeout: ["no answer came in time"],
  mailbox_unavailable: [
    "the account has no Exchange Online mailbox",
    "Use another account, or ask an administrator for a licence.",
  ],
  response_invalid: ["the answer could not be read", "Tell the operator the request id."],
  response_too_large: ["the answer is too large", "Ask for less."],
  gateway_policy: ["a policy of the gateway blocked it", "Remove sensitive content, or ask an administrator."],
  gateway_rate_limited: ["the gateway asks to slow down"],
  gateway_unavailable: ["the gateway is not available"],
  egress_unconfigured: ["the gateway is not configured", "Ask the operator to bind AI Gateway."],
  signin_unavailable: ["the sign-in is not available"],
};

type Texts = readonly [what: string, advice?: string];
