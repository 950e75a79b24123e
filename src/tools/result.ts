import type { JsonObject } from "../core/json.ts";
import type { FailureType, GraphFailure } from "../graph/failure.ts";
import type { Tool } from "./define.ts";

/** MCP CallToolResult, as far as we use it. */
export interface ToolResult {
  readonly content: readonly { readonly type: "text"; readonly text: string }[];
  readonly structuredContent: JsonObject;
  readonly isError?: true;
}

/** What the caller can correct: a normal result, so that the model reads it (MCP 2025-11-25 SEP-1303). */
export function validationResult(tool: Tool, field: string, description: string): ToolResult {
  const text = `${tool.name} was not called: ${field} ${description}. Correct it and call again.`;
  return failed(text, { type: "validation_error", field, description });
}

/** What Microsoft 365 or the way to it refused. */
export function failureResult(tool: Tool, failure: GraphFailure, requestId: string): ToolResult {
  const isWrite = !tool.annotations.readOnlyHint;
  const scope = failure.type === "graph_forbidden" ? { scope: tool.scopes.join(" ") } : {};
  const error = {
    type: failure.type,
    ...(failure.code === undefined ? {} : { code: failure.code }),
    ...(failure.status === undefined ? {} : { status: failure.status }),
    retryable: failure.retryable,
    ...(failure.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: failure.retryAfterSeconds }),
    requestId,
    ...scope,
  };
  const context = [tool.name, failure.status && `status ${failure.status}`, failure.code && `code ${failure.code}`];
  const quoted = failure.quoted === undefined ? "" : ` Microsoft says: "${quote(failure.quoted)}".`;
  const [what, steps] = explain(failure, tool, isWrite);
  const text = `${tool.name} failed: ${what}.${quoted} Context: ${context.filter(Boolean).join(", ")}, request id ${requestId}. Troubleshooting: ${steps}`;
  return failed(text, error);
}

function failed(text: string, error: JsonObject): ToolResult {
  return { content: [{ type: "text", text }], structuredContent: { error }, isError: true };
}

/** Other people's words: one line, clipped, marked as quoted. */
function quote(text: string): string {
  return text.replace(/[\s"]+/g, " ").slice(0, 300);
}

const CHECK_FIRST = "It may have been done all the same: check before repeating.";

/** One sentence what happened, one what to do. */
function explain(failure: GraphFailure, tool: Tool, isWrite: boolean): readonly [what: string, steps: string] {
  const wait =
    failure.retryAfterSeconds === undefined
      ? "Try again in a minute."
      : `Try again after ${failure.retryAfterSeconds} seconds.`;
  const again = isWrite ? CHECK_FIRST : wait;
  const texts: { readonly [Type in FailureType]: readonly [string, string] } = {
    graph_bad_request: ["Microsoft 365 refused the request", "Check the arguments, then call again."],
    graph_unauthorized: ["Microsoft 365 did not accept the sign-in", "Sign in again."],
    graph_forbidden: [
      `the account may not do this; it needs the permission ${tool.scopes.join(", ")}`,
      "Sign in again and consent, or ask an administrator: Azure Portal, app registration, API permissions, grant admin consent. Your tenant may require it.",
    ],
    graph_not_found: ["it was not found", "List it again and use the id from there; ids change when things move."],
    graph_conflict: ["it was changed by somebody else at the same time", "Read it again, then repeat the change."],
    graph_too_large: ["it is too large for the mailbox or for one request", "Send less, or a link instead."],
    graph_throttled: ["Microsoft 365 asks to slow down", wait],
    graph_unavailable: ["Microsoft 365 is not available", again],
    graph_timeout: ["Microsoft 365 did not answer in time", again],
    mailbox_unavailable: [
      "the account has no Exchange Online mailbox",
      "Use an account with a mailbox, or ask an administrator for a licence.",
    ],
    response_invalid: ["the answer could not be read", again],
    response_too_large: ["the answer is too large", "Ask for fewer items."],
    gateway_policy: [
      "a policy of your organisation's gateway blocked it",
      "Remove sensitive content, or ask your administrator.",
    ],
    gateway_rate_limited: ["the gateway asks to slow down", wait],
    gateway_unavailable: ["the gateway is not available", again],
    egress_unconfigured: [
      "the way to Microsoft 365 is not configured on this server",
      "Ask the operator to bind AI Gateway.",
    ],
    signin_unavailable: ["Microsoft's sign-in service is not available", wait],
  };
  return texts[failure.type];
}
