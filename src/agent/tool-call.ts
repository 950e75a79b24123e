import { type GatewayMetadata, sendThroughGateway } from "../egress/gateway.ts";
import { callGraph, type GraphDeps } from "../graph/client.ts";
import { type GraphFailure, localFailure } from "../graph/failure.ts";
import type { GraphAnswer, GraphRequest } from "../graph/request.ts";
import { type GraphScope, missingScopes } from "../graph/scopes.ts";
import type { CallOutcome, ProtectedCall } from "../mcp/call.ts";
import { type AccessGrant, checkAccess } from "../oauth/grant/access.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { Tool, ToolContext } from "../tools/define.ts";
import { buildCall, type CheckedCall, checkArguments, presentCall, withNextPage } from "../tools/engine.ts";
import { findTool } from "../tools/index.ts";
import { failureResult, type ToolResult, validationResult } from "../tools/result.ts";
import type { AgentContext } from "./context.ts";
import { endSession } from "./microsoft-session.ts";
import { openCursor, sealCursor } from "./page-cursor.ts";
import { countCall, quotaOf } from "./usage.ts";

export interface CallInput {
  readonly origin: string;
  readonly accessHash: string;
  readonly call: ProtectedCall;
}

/** A protected call: is the token alive, does it cover the tool, are the arguments right; then Graph. */
export async function runCall(input: CallInput, context: AgentContext): Promise<CallOutcome> {
  const startedMs = context.clock();
  const tool = findTool(input.call.name);
  if (tool === undefined) throw new Error("a call to a tool that does not exist passed dispatch");
  const access = checkAccess(context.store.grant(), input.accessHash, context.now());
  if (access === undefined || !isOurResource(access.authorization.resource, input.origin))
    return { kind: "unauthorized" };
  if (missingScopes(access.scopes, tool.scopes).length > 0) {
    // A step-up that named only the missing ones would lose the rest.
    return { kind: "insufficient_scope", scopes: unite(access.scopes, tool.scopes) };
  }
  const counted = countCall(context.store.usage(), context.now());
  context.store.saveUsage(counted.usage);
  const quota = quotaOf(counted.usage, context.now());
  if (counted.isOver) return { kind: "rate_limited", quota };
  const checked = checkArguments(tool, input.call.arguments);
  const ran: Ran = checked.ok
    ? await runTool(checked.value, access, context)
    : { kind: "result", result: checked.error };
  logCall(tool, access, ran, startedMs, context);
  return ran.kind === "result" ? { kind: "done", result: ran.result, quota } : { kind: "unauthorized" };
}

function unite(granted: readonly GraphScope[], needed: readonly GraphScope[]): GraphScope[] {
  return [...new Set([...granted, ...needed])];
}

/** What running a tool came to, and what its log line needs. */
type Ran = { readonly kind: "session_ended" } | RanResult;

interface RanResult {
  readonly kind: "result";
  readonly result: ToolResult;
  readonly answer?: GraphAnswer;
  readonly failure?: GraphFailure;
}

async function runTool(checked: CheckedCall, access: AccessGrant, context: AgentContext): Promise<Ran> {
  const { tool, pageToken } = checked;
  const page = pageToken === undefined ? undefined : await openCursor(tool.name, pageToken, context);
  if (page !== undefined && !page.ok) {
    const description = "is not valid here or older than an hour; call without it to start again";
    return { kind: "result", result: validationResult(tool, "pageToken", description) };
  }
  const { tid, oid } = access.authorization.person;
  const toolContext: ToolContext = {
    nowMs: context.clock(),
    requestId: context.requestId,
    userKey: `${tid}/${oid}`,
    page: page?.value,
  };
  const reached = await reachGraph(buildCall(checked, toolContext), tool, access, context);
  if (reached.kind === "session_ended") return reached;
  if (reached.kind === "failed") {
    return {
      kind: "result",
      result: failureResult(tool, reached.failure, context.requestId),
      failure: reached.failure,
    };
  }
  const { result, nextLink } = presentCall(checked, reached.answer, context.requestId);
  const nextPageToken = nextLink === undefined ? undefined : await sealCursor(tool.name, nextLink, context);
  const shown = nextPageToken === undefined ? result : withNextPage(result, nextPageToken);
  return { kind: "result", result: shown, answer: reached.answer };
}

type Reached =
  | { readonly kind: "answered"; readonly answer: GraphAnswer }
  | { readonly kind: "failed"; readonly failure: GraphFailure }
  | { readonly kind: "session_ended" };

/** With the person's token, refreshed before it ends and once more when Graph says that it has. */
async function reachGraph(
  request: GraphRequest,
  tool: Tool,
  access: AccessGrant,
  context: AgentContext,
): Promise<Reached> {
  let token = await context.microsoft.accessToken(context);
  for (let attempt = 1; ; attempt += 1) {
    if (!token.ok) return withoutToken(token.error.kind, token.error.retryAfterSeconds);
    const called = await callGraph(request, graphDeps(token.value, tool, access, context));
    if (called.ok) return { kind: "answered", answer: called.value };
    const failure = called.error;
    logFailure(tool, failure, attempt, context);
    // Conditional Access wants more than a refresh can give (Entra: claims-challenge).
    if (failure.isClaimsChallenge) {
      endSession(context);
      return { kind: "session_ended" };
    }
    // A 401 was not carried out, so it may be sent again, writes included.
    if (failure.type !== "graph_unauthorized" || attempt > 1) return { kind: "failed", failure };
    token = await context.microsoft.replaceToken(token.value, context);
  }
}

function withoutToken(kind: "ended" | "unavailable", retryAfterSeconds: number | undefined): Reached {
  if (kind === "ended") return { kind: "session_ended" };
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return { kind: "failed", failure: localFailure("signin_unavailable", true, details) };
}

function graphDeps(accessToken: string, tool: Tool, access: AccessGrant, context: AgentContext): GraphDeps {
  const { ai, config, requestId, clock } = context;
  const { oid, email } = access.authorization.person;
  const metadata: GatewayMetadata = {
    userId: oid,
    ...(email === "" ? {} : { userEmail: email }),
    mcpTool: tool.name,
    requestId,
  };
  return {
    send: (request, deadlineMs) => sendThroughGateway(ai, config, request, metadata, deadlineMs),
    accessToken,
    requestId,
    version: config.GRAPH_API_VERSION,
    clock,
  };
}

function logFailure(tool: Tool, failure: GraphFailure, attempt: number, context: AgentContext): void {
  context.log({
    level: "WARN",
    message: "Graph API error",
    tool: tool.name,
    code: failure.type,
    ...(failure.status === undefined ? {} : { status: failure.status }),
    metadata: {
      aiGatewayLogId: failure.aiGatewayLogId,
      ...(failure.graphRequestId === undefined ? {} : { graphRequestId: failure.graphRequestId }),
      attempt,
    },
  });
}

/** The audit line: who did what through which client, and where to find it at the gateway and at Microsoft. */
function logCall(tool: Tool, access: AccessGrant, ran: Ran, startedMs: number, context: AgentContext): void {
  const { authorization } = access;
  const source = ran.kind === "result" ? (ran.answer ?? ran.failure) : undefined;
  const isError = ran.kind !== "result" || ran.result.isError === true;
  context.log({
    level: isError ? "WARN" : "INFO",
    message: `tool: ${tool.name}`,
    tool: tool.name,
    userId: authorization.person.oid,
    durationMs: context.clock() - startedMs,
    ...(source?.status === undefined ? {} : { status: source.status }),
    ...(ran.kind === "result" && ran.failure !== undefined ? { code: ran.failure.type } : {}),
    metadata: {
      binding: "MCP_OBJECT",
      clientId: authorization.clientId,
      accessIdentity: authorization.accessIdentity,
      aiGatewayLogId: source?.aiGatewayLogId ?? null,
      graphRequestIds: source?.graphRequestId === undefined ? [] : [source.graphRequestId],
    },
  });
}
