import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { localFailure } from "../graph/failure.ts";
import type { GraphAnswer, GraphRequest } from "../graph/request.ts";
import type { Tool, ToolContext } from "./define.ts";
import { failureResult, type ToolResult, validationResult } from "./result.ts";

/** A call whose arguments have passed. */
export interface CheckedCall {
  readonly tool: Tool;
  readonly args: JsonObject;
  readonly pageToken: string | undefined;
}

/** Judges the arguments: nothing is coerced, the first fault is named with its property. Pure. */
export function checkArguments(tool: Tool, raw: unknown): Result<CheckedCall, ToolResult> {
  const given = raw ?? {};
  if (!isJsonObject(given)) return err(validationResult(tool, "arguments", "must be an object"));
  const parsed = v.safeParse(tool.input, tool.accept === undefined ? given : tool.accept(given), { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err(validationResult(tool, fieldOf(issue), describeIssue(issue)));
  }
  const { pageToken } = parsed.output;
  return ok({ tool, args: parsed.output, pageToken: typeof pageToken === "string" ? pageToken : undefined });
}

function fieldOf(issue: v.BaseIssue<unknown>): string {
  const key = issue.path?.[0]?.key;
  return typeof key === "string" ? key.slice(0, 64) : "arguments";
}

/** In words; the library's sentence is kept where it says most. */
function describeIssue(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "strict_object" && issue.expected === "never") return "is not a parameter of this tool";
  if (issue.kind === "schema" && issue.received === "undefined") return "is required";
  if (!issue.message.startsWith("Invalid")) return issue.message;
  const expected = issue.expected === null ? "another value" : issue.expected.slice(0, 200);
  return `must be ${expected}, not ${issue.received.slice(0, 60)}`;
}

/** The request of a checked call. Pure. */
export function buildCall(call: CheckedCall, context: ToolContext): GraphRequest {
  return call.tool.build(call.args, context);
}

export interface PresentedCall {
  readonly result: ToolResult;
  readonly nextLink: string | undefined;
}

/** Shows an answer, or says that it is not what Graph documents. Pure. */
export function presentCall(call: CheckedCall, answer: GraphAnswer, requestId: string): PresentedCall {
  const parsed = v.safeParse(call.tool.answer, answer.body, { abortEarly: true });
  if (!parsed.success) {
    const failure = localFailure("response_invalid", false, answer);
    return { result: failureResult(call.tool, failure, requestId), nextLink: undefined };
  }
  const { text, structured, nextLink } = call.tool.present(parsed.output, call.args);
  const shown = typeof text === "string" ? text : JSON.stringify(text, null, 2);
  return { result: { content: [{ type: "text", text: shown }], structuredContent: structured }, nextLink };
}

/** MCP clients that show text only still learn of the next page. */
export function withNextPage(result: ToolResult, nextPageToken: string): ToolResult {
  return {
    ...result,
    content: [...result.content, { type: "text", text: `There is more: call again with pageToken ${nextPageToken}` }],
    structuredContent: { ...result.structuredContent, nextPageToken },
  };
}
