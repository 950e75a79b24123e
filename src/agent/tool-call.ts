import { sha256 } from "../crypto/hash.ts";
import { missingScopes } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";
import type { CallOutcome, ProtectedCall } from "../mcp/call.ts";
import { SERVER_INFO } from "../mcp/server-info.ts";
import { uriOf } from "../resources/index.ts";
import type { ToolContext } from "../tools/define.ts";
import { buildCall, checkArguments, presentCall, withNextPage } from "../tools/engine.ts";
import { TOOLS } from "../tools/index.ts";
import { failureResult, type ToolResult, validationResult } from "../tools/result.ts";
import { judgeCaller, type Presented } from "./access.ts";
import { recordCall } from "./call-log.ts";
import type { AgentContext } from "./context.ts";
import { type Run, takeStep } from "./graph-step.ts";
import { findOperation } from "./operation.ts";
import { followLink, openCursor, type Place, sealCursor } from "./page-cursor.ts";
import { countCall } from "./usage.ts";

export interface CallInput extends Presented {
  readonly call: ProtectedCall;
}

/** A protected call: is the token alive, does it cover the tool, are the arguments right; then Graph. */
export async function runCall(input: CallInput, context: AgentContext): Promise<CallOutcome> {
  const { store, clock } = context;
  const startedMs = clock();
  const now = context.now();
  const { call } = input;
  const tool = findOperation(call);
  const access = judgeCaller(input, context);
  if (!access.ok) return { kind: access.error };
  const { scopes } = access.value;
  const { usage, quota, isOver, isFirstOver } = countCall(store.read("usage"), now);
  store.write("usage", usage);
  const run: Run = { ...context, ...input, ...access.value, tool, usage, answers: [] };
  /** Leaves the line and the point of a call, also of one that is refused (LG-03, LG-05). */
  const record = (code?: string) => recordCall(run, code, clock() - startedMs);
  if (isOver) {
    // Once a minute is enough to be found, and no way to fill the log.
    if (isFirstOver) record("rate_limited");
    return { kind: "rate_limited", quota };
  }
  const missing = missingScopes(scopes, tool.scopes);
  if (missing.length > 0) {
    record("insufficient_scope");
    // A step-up that named only the missing ones would lose the rest.
    return { kind: "insufficient_scope", missing, scopes: [...new Set([...scopes, ...tool.scopes])] };
  }
  const result = await runTool(run);
  // Every error of a tool has a type.
  record(result === undefined ? "session_ended" : (result.structuredContent.error?.type as string | undefined));
  if (result === undefined) return { kind: "unauthorized" };
  if (call.kind === "tool") return { kind: "done", result, quota };
  // MCP ReadResourceResult, which has no form for a failure.
  const { content, structuredContent } = result;
  const { error } = structuredContent;
  if (error !== undefined) return { kind: "failed", message: content[0]?.text ?? "", data: error, quota };
  // The object, not its list alone: one that was cut says so beside its items.
  const text = JSON.stringify(structuredContent, null, 2);
  return { kind: "done", result: { contents: [{ uri: uriOf(call), mimeType: "application/json", text }] }, quota };
}

/** @returns undefined when the sign-in has ended */
async function runTool(run: Run): Promise<ToolResult | undefined> {
  const { tool, answers, authorization, requestId } = run;
  const checked = checkArguments(tool, run.call.arguments);
  if (!checked.ok) return checked.error;
  const call = checked.value;
  const { args, pageToken } = call;
  const page = pageToken === undefined ? undefined : await openCursor(pageToken, run);
  if (pageToken !== undefined && page === undefined)
    return validationResult(tool, "pageToken", "is not valid here or over an hour old; start again without it");
  const follow: ToolContext["follow"] = (nextLink) => followLink(nextLink, run);
  const toolContext: ToolContext = {
    nowMs: run.clock(),
    // For Graph's transactionId: our own repetition has the same one, a client's new call another.
    callKey: tool.usesCallKey ? await sha256(JSON.stringify([authorization.person, requestId, run.call])) : "",
    page: page?.path,
    follow,
    session: sessionOf(run),
  };
  const built = buildCall(call, toolContext);
  if (!built.ok) return built.error;
  const read: unknown[] = [];
  const paths: GraphPath[] = [];
  let request = built.value;
  while (request !== undefined) {
    const { tolerates, path } = request;
    const reached = await takeStep(request, run);
    if (!reached.ok) {
      const { error } = reached;
      // What was done must not be called undone, or it will be done twice; the next call asks for a sign-in.
      if (tolerates === "all") break;
      if (error === "session_ended") return undefined;
      if (tolerates?.includes(error.type)) break;
      answers.push(error);
      return failureResult(tool, error, requestId);
    }
    read.push(reached.value);
    paths.push(path);
    // What was read is not empty: the step before has just been added.
    request = tool.next?.(read as [unknown, ...unknown[]], args, toolContext);
  }
  const { result, nextLink, shown } = presentCall(call, read, toolContext, page?.skip ?? 0, paths.at(-1));
  const rest = shown === undefined ? undefined : resumeAt(shown, paths, read);
  const path = rest?.path ?? follow(nextLink);
  if (path === undefined) return result;
  return withNextPage(result, await sealCursor({ path, skip: rest?.skip ?? 0 }, run));
}

/** The page and the place in it of the first item that was not shown, if there is one. */
function resumeAt(shown: number, paths: readonly GraphPath[], pages: readonly unknown[]): Place | undefined {
  let skip = shown;
  for (const [index, path] of paths.entries()) {
    // What is shown as a list was read as pages.
    const { value } = pages[index] as { readonly value: readonly unknown[] };
    if (skip < value.length) return { path, skip };
    skip -= value.length;
  }
  return undefined;
}

function sessionOf({ authorization, scopes, usage }: Run): ToolContext["session"] {
  const { person, expiresAt } = authorization;
  const { name, version } = SERVER_INFO;
  return {
    user: { id: person.oid, displayName: person.name, email: person.email },
    grantedScopes: scopes,
    unavailableTools: TOOLS.map((tool) => ({
      name: tool.name,
      missingScopes: missingScopes(scopes, tool.scopes),
    })).filter((tool) => tool.missingScopes.length > 0),
    expiresAt: new Date(expiresAt * 1000).toISOString(),
    calls: usage.calls,
    lastActivity: new Date(usage.lastCallAt * 1000).toISOString(),
    server: { name, version },
  };
}
