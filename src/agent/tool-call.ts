import { judgeIdentity, type Perimeter } from "../access/perimeter.ts";
import { sha256 } from "../crypto/hash.ts";
import type { GraphFailure } from "../graph/failure.ts";
import { type GraphScope, missingScopes } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";
import type { CallOutcome, ProtectedCall } from "../mcp/call.ts";
import { SERVER_INFO } from "../mcp/server-info.ts";
import { checkAccess } from "../oauth/grant/access.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { ToolContext } from "../tools/define.ts";
import { buildCall, checkArguments, presentCall, withNextPage } from "../tools/engine.ts";
import { TOOLS } from "../tools/index.ts";
import { failureResult, type ToolResult, validationResult } from "../tools/result.ts";
import { countAtMetrics, logCall, noteAtGateway, type Ran } from "./call-log.ts";
import type { AgentContext } from "./context.ts";
import { type Run, takeStep } from "./graph-step.ts";
import { findOperation } from "./operation.ts";
import { followLink, openCursor, type Place, sealCursor } from "./page-cursor.ts";
import { countCall, quotaOf } from "./usage.ts";

export interface CallInput {
  readonly origin: string;
  readonly accessHash: string;
  readonly perimeter: Perimeter;
  readonly call: ProtectedCall;
}

/** A protected call: is the token alive, does it cover the tool, are the arguments right; then Graph. */
export async function runCall(input: CallInput, context: AgentContext): Promise<CallOutcome> {
  const startedMs = context.clock();
  const tool = findOperation(input.call);
  const access = checkAccess(context.store.grant(), input.accessHash, context.now());
  if (access === undefined || !isOurResource(access.authorization.resource, input.origin))
    return { kind: "unauthorized" };
  const judged = judgeIdentity(access.authorization.accessIdentity, input.perimeter);
  if (judged === "unbound") return { kind: "unauthorized" };
  if (judged === "other") return { kind: "identity_mismatch" };
  if (missingScopes(access.scopes, tool.scopes).length > 0) {
    // A step-up that named only the missing ones would lose the rest.
    return { kind: "insufficient_scope", scopes: unite(access.scopes, tool.scopes) };
  }
  const { usage, isOver } = countCall(context.store.usage(), context.now());
  context.store.saveUsage(usage);
  const quota = quotaOf(usage, context.now());
  if (isOver) return { kind: "rate_limited", quota };
  const checked = checkArguments(tool, input.call.arguments);
  const ran: Ran = checked.ok
    ? await runTool({
        call: checked.value,
        tool,
        access,
        perimeter: input.perimeter,
        entry: input.call.entry,
        usage,
        context,
        answers: [],
      })
    : { kind: "result", result: checked.error, answers: [] };
  const durationMs = context.clock() - startedMs;
  logCall(tool, access, input.perimeter, ran, durationMs, context);
  noteAtGateway(ran, durationMs, context);
  countAtMetrics(tool, ran, durationMs, context);
  if (ran.kind === "session_ended") return { kind: "unauthorized" };
  return input.call.kind === "tool"
    ? { kind: "done", result: ran.result, quota }
    : asContents(ran.result, input, quota);
}

/** MCP ReadResourceResult, which has no form for a failure. */
function asContents(
  { content, structuredContent, isError }: ToolResult,
  { call }: CallInput,
  quota: ReturnType<typeof quotaOf>,
): CallOutcome {
  const text = content[0]?.text ?? "";
  if (isError) return { kind: "failed", message: text, data: { ...structuredContent.error }, quota };
  const uri = `microsoft://${call.name}`;
  return { kind: "done", result: { contents: [{ uri, mimeType: "application/json", text }] }, quota };
}

function unite(granted: readonly GraphScope[], needed: readonly GraphScope[]): GraphScope[] {
  return [...new Set([...granted, ...needed])];
}

async function runTool(run: Run): Promise<Ran> {
  const { call, tool, context, answers } = run;
  const page = call.pageToken === undefined ? undefined : await openCursor(tool.name, call.pageToken, context);
  if (page !== undefined && !page.ok) {
    const description = "is not valid here or older than an hour; call without it to start again";
    return { kind: "result", result: validationResult(tool, "pageToken", description), answers };
  }
  const toolContext: ToolContext = {
    nowMs: context.clock(),
    callKey: tool.usesCallKey ? await callKey(run) : "",
    page: page?.value.path,
    follow: (nextLink) => followLink(tool.name, nextLink, context),
    session: sessionOf(run),
  };
  const built = buildCall(call, toolContext);
  if (!built.ok) return { kind: "result", result: built.error, answers };
  const read: unknown[] = [];
  const paths: GraphPath[] = [];
  let request = built.value;
  while (request !== undefined) {
    const { tolerates } = request;
    const reached = await takeStep(request, run);
    if (reached === "session_ended") {
      // What was done must not be called undone, or it will be done twice; the next call asks for a sign-in.
      if (tolerates === "all") break;
      return { kind: reached, result: NOTHING, answers };
    }
    if (!reached.ok) {
      if (tolerates === "all" || tolerates?.includes(reached.error.type)) break;
      return failedRun(reached.error, run);
    }
    read.push(reached.value);
    paths.push(request.path);
    // What was read is not empty: the step before has just been added.
    request = tool.next?.(read as [unknown, ...unknown[]], call.args, toolContext);
  }
  const { result, nextLink, shown } = presentCall(call, read, toolContext, page?.value.skip ?? 0);
  const path = shown === undefined ? followLink(tool.name, nextLink, context) : undefined;
  const next = path === undefined ? resumeAt(shown, paths, read) : { path, skip: 0 };
  if (next === undefined) return { kind: "result", result, answers };
  return { kind: "result", result: withNextPage(result, await sealCursor(tool.name, next, context)), answers };
}

/** The page and the place in it of the first item that did not fit into the result. */
function resumeAt(
  shown: number | undefined,
  paths: readonly GraphPath[],
  pages: readonly unknown[],
): Place | undefined {
  if (shown === undefined) return undefined;
  let skip = shown;
  for (const [index, path] of paths.entries()) {
    // What is shown as a list was read as pages.
    const { value } = pages[index] as { readonly value: readonly unknown[] };
    if (skip < value.length) return { path, skip };
    skip -= value.length;
  }
  return undefined;
}

const NOTHING: ToolResult = { content: [], structuredContent: {}, isError: true };

function failedRun(failure: GraphFailure, { tool, context, answers }: Run): Ran {
  return { kind: "result", result: failureResult(tool, failure, context.requestId), answers, failure };
}

/** For Graph's transactionId: our own repetition has the same one, a client's new call another. */
function callKey({ call, tool, access, entry, context }: Run): Promise<string> {
  const { tid, oid } = access.authorization.person;
  return sha256(JSON.stringify([tid, oid, context.requestId, entry, tool.name, call.args]));
}

function sessionOf({ access, usage }: Run): ToolContext["session"] {
  const { person, expiresAt } = access.authorization;
  const { name, version } = SERVER_INFO;
  return {
    user: { id: person.oid, displayName: person.name, email: person.email },
    grantedScopes: access.scopes,
    unavailableTools: TOOLS.flatMap((tool) => {
      const missing = missingScopes(access.scopes, tool.scopes);
      return missing.length === 0 ? [] : [{ name: tool.name, missingScopes: missing }];
    }),
    expiresAt: new Date(expiresAt * 1000).toISOString(),
    calls: usage.calls,
    lastActivity: new Date(usage.lastCallAt * 1000).toISOString(),
    server: { name, version },
  };
}
