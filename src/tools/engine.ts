import * as v from "valibot";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { GraphRequest } from "../graph/request.ts";
import type { GraphPath } from "../graph/url.ts";
import { acceptSpellings } from "./accept.ts";
import { fitList, fitOne } from "./budget.ts";
import type { Tool, ToolContext } from "./define.ts";
import { type ToolResult, validationResult } from "./result.ts";

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
  const parsed = v.safeParse(tool.input, acceptSpellings(given, tool), { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err(validationResult(tool, ...describeIssue(issue)));
  }
  // Its schema says so.
  const pageToken = parsed.output.pageToken as string | undefined;
  return ok({ tool, args: parsed.output, pageToken });
}

/** The property, and in words what is wrong with it or with a part of it; the library's sentence where it says most. */
function describeIssue(issue: v.BaseIssue<unknown>): [field: string, description: string] {
  const [field = "arguments", ...inner] = (issue.path ?? []).map(({ key }) => String(key).slice(0, 100));
  return [field, (inner.length > 0 ? `at ${inner.join(".")} ` : "") + complaintOf(issue)];
}

function complaintOf({ expected, received, message }: v.BaseIssue<unknown>): string {
  if (expected === "never") return "is not a parameter";
  if (received === "undefined") return "is required";
  return message.slice(0, 300).replace(/^Invalid/, "has an invalid");
}

/** The first request of a checked call, if it needs any. Pure. */
export function buildCall(
  { tool, args }: CheckedCall,
  context: ToolContext,
): Result<GraphRequest | undefined, ToolResult> {
  const built = tool.build(args, context);
  return built !== undefined && "field" in built
    ? err(validationResult(tool, built.field, built.description))
    : ok(built);
}

/** One answer of Graph as the tool reads it; an error when it is not what Graph documents. Pure. */
export function readAnswer(tool: Tool, body: unknown): Result<unknown, "response_invalid"> {
  const parsed = v.safeParse(tool.answer, body, { abortEarly: true });
  return parsed.success ? ok(parsed.output) : err("response_invalid");
}

export interface PresentedCall {
  readonly result: ToolResult;
  readonly nextLink?: string | null | undefined;
  /** Items of the pages that were shown, where some more did not fit and can be asked for. */
  readonly shown?: number | undefined;
}

/**
 * Shows what was reached, within the budget. Pure.
 * @param path of the last page, where the list may go on
 */
export function presentCall(
  { tool, args }: CheckedCall,
  answers: readonly unknown[],
  context: ToolContext,
  skip: number,
  path: GraphPath | undefined,
): PresentedCall {
  // A tool without requests gets what its schema makes of nothing.
  const [first = v.safeParse(tool.answer, undefined).output, ...more] = answers;
  const { text, structured, nextLink } = tool.present([first, ...more], args, context);
  const { list = "" } = tool;
  const items = structured[list];
  if (!Array.isArray(items)) return { result: fitOne(structured, text) };
  const { result, kept } = fitList(list, structured, items.slice(skip), [path, nextLink]);
  const isPaged = kept < items.length - skip && tool.input.entries?.pageToken;
  // An item that does not even fit alone is left out, or its page would come again for ever.
  return { result, nextLink, shown: isPaged ? skip + Math.max(1, kept) : undefined };
}

/** MCP clients that show text only still learn of the next page. */
export function withNextPage({ content, structuredContent }: ToolResult, nextPageToken: string): ToolResult {
  const next = { type: "text" as const, text: `There is more: call again with pageToken ${nextPageToken}` };
  return { content: content.toSpliced(1, 0, next), structuredContent: { ...structuredContent, nextPageToken } };
}
