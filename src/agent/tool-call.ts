import { judgeIdentity, type Perimeter } from "../access/perimeter.ts";
import { err, type Result } from "../core/result.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomFraction } from "../crypto/random.ts";
import { type GatewayMetadata, patchGatewayLog, sendThroughGateway } from "../egress/gateway.ts";
import { callGraph, type GraphDeps } from "../graph/client.ts";
import { type GraphFailure, localFailure } from "../graph/failure.ts";
import type { GraphAnswer, GraphRequest } from "../graph/request.ts";
import { type GraphScope, missingScopes } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";
import type { CallOutcome, ProtectedCall } from "../mcp/call.ts";
import { SERVER_INFO } from "../mcp/server-info.ts";
import { type AccessGrant, checkAccess } from "../oauth/grant/access.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { Tool, ToolContext } from "../tools/define.ts";
import { buildCall, type CheckedCall, checkArguments, presentCall, readAnswer, withNextPage } from "../tools/engine.ts";
import { TOOLS } from "../tools/index.ts";
import { failureResult, type ToolResult, validationResult } from "../tools/result.ts";
import type { AgentContext } from "./context.ts";
import { endSession } from "./microsoft-session.ts";
import { findOperation } from "./operation.ts";
import { followLink, openCursor, type Place, sealCursor } from "./page-cursor.ts";
import { countCall, quotaOf, type Usage } from "./usage.ts";

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
  context.metrics?.writeDataPoint({
    indexes: [tool.name],
    blobs: [tool.name, context.clientType, ran.failure?.type ?? ""],
    doubles: [durationMs, 1],
  });
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

/** One run of a tool: everything that its steps share. */
interface Run {
  readonly call: CheckedCall;
  readonly tool: Tool;
  readonly access: AccessGrant;
  readonly perimeter: Perimeter;
  readonly entry: number | undefined;
  readonly usage: Usage;
  readonly context: AgentContext;
  /** As Graph gave them, in order. */
  readonly answers: GraphAnswer[];
}

/** What running a tool came to, and what its log line needs. */
interface Ran {
  readonly kind: "result" | "session_ended";
  readonly result: ToolResult;
  readonly answers: readonly GraphAnswer[];
  readonly failure?: GraphFailure;
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

/** One request with the person's token, refreshed before it ends and once more when Graph says that it has. */
async function takeStep(request: GraphRequest, run: Run): Promise<Result<unknown, GraphFailure> | "session_ended"> {
  const { tool, context, answers } = run;
  let token = await context.microsoft.accessToken(context);
  for (let attempt = 1; ; attempt += 1) {
    if (!token.ok) {
      const { kind, retryAfterSeconds } = token.error;
      if (kind === "ended") return "session_ended";
      return err(localFailure("signin_unavailable", { retryAfterSeconds }));
    }
    const called = await callGraph(request, graphDeps(token.value, run));
    if (called.ok) {
      answers.push(called.value);
      const read = readAnswer(tool, called.value.body);
      return read.ok ? read : err(localFailure(read.error, called.value));
    }
    // Conditional Access wants more than a refresh can give (Entra: claims-challenge).
    if (called.error.isClaimsChallenge) {
      endSession(context);
      return "session_ended";
    }
    // A 401 was not carried out, so it may be sent again, writes included.
    if (called.error.type !== "graph_unauthorized" || attempt > 1) return called;
    token = await context.microsoft.replaceToken(token.value, context);
  }
}

function graphDeps(accessToken: string, { tool, access, perimeter, context }: Run): GraphDeps {
  const { ai, config, requestId, clock, traffic } = context;
  const { oid, email: microsoftEmail } = access.authorization.person;
  const email = perimeter.identity?.email ?? microsoftEmail;
  const metadata: GatewayMetadata = {
    userId: oid,
    ...(email !== "" && { userEmail: email }),
    mcpTool: tool.name,
    requestId,
  };
  return {
    send: (request, deadlineMs) => sendThroughGateway(ai, config, request, metadata, deadlineMs),
    traffic,
    accessToken,
    requestId,
    version: config.GRAPH_API_VERSION,
    clock,
    wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random: randomFraction,
    report: (result, attempt, durationMs) => logGraphCall(tool, result, attempt, durationMs, context),
  };
}

function logGraphCall(
  tool: Tool,
  result: Result<GraphAnswer, GraphFailure>,
  attempt: number,
  durationMs: number,
  context: AgentContext,
): void {
  const { status, aiGatewayLogId, graphRequestId } = result.ok ? result.value : result.error;
  const common = { tool: tool.name, durationMs, status, metadata: { aiGatewayLogId, graphRequestId, attempt } };
  if (result.ok) context.log({ level: "DEBUG", message: "Graph call", ...common });
  else {
    const { type } = result.error;
    const words = type.endsWith("timeout") ? "Microsoft Graph error: timeout exceeded" : "Microsoft Graph error";
    context.log({ level: "WARN", message: "Graph API error", code: type, context: words, ...common });
  }
}

/** Nobody waits for it: an object stays while one of its requests is on its way. */
function noteAtGateway({ answers, failure }: Ran, durationMs: number, { ai, config }: AgentContext): void {
  const logId = (failure ?? answers.at(-1))?.aiGatewayLogId ?? null;
  void patchGatewayLog(ai, config, logId, { outcome: failure?.type ?? "ok", durationMs });
}

/** The audit line: who did what through which client, and where to find it at the gateway and at Microsoft. */
function logCall(
  tool: Tool,
  access: AccessGrant,
  perimeter: Perimeter,
  ran: Ran,
  durationMs: number,
  context: AgentContext,
): void {
  const { authorization } = access;
  const { answers, failure } = ran;
  const last = failure ?? answers.at(-1);
  const { type } = ran.result.structuredContent.error ?? {};
  const ids = [...answers, failure].map((one) => one?.graphRequestId);
  context.log({
    level: ran.result.isError ? "WARN" : "INFO",
    message: `tool: ${tool.name}`,
    tool: tool.name,
    userId: authorization.person.oid,
    durationMs,
    status: last?.status,
    code: typeof type === "string" ? type : undefined,
    metadata: {
      binding: "MCP_OBJECT",
      clientId: authorization.clientId,
      accessIdentity: perimeter.identity?.subject ?? authorization.accessIdentity,
      aiGatewayLogId: last?.aiGatewayLogId ?? null,
      graphRequestIds: ids.filter((id) => id !== undefined),
    },
  });
}
