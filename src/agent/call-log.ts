import type { Perimeter } from "../access/perimeter.ts";
import type { Result } from "../core/result.ts";
import { patchGatewayLog } from "../egress/gateway.ts";
import type { GraphFailure } from "../graph/failure.ts";
import type { GraphAnswer } from "../graph/request.ts";
import type { AccessGrant } from "../oauth/grant/access.ts";
import type { Tool } from "../tools/define.ts";
import type { ToolResult } from "../tools/result.ts";
import type { AgentContext } from "./context.ts";

/** What running a tool came to, and what its log line needs. */
export interface Ran {
  readonly kind: "result" | "session_ended";
  readonly result: ToolResult;
  readonly answers: readonly GraphAnswer[];
  readonly failure?: GraphFailure;
}

/** One line per attempt. */
export function logGraphCall(
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
export function noteAtGateway({ answers, failure }: Ran, durationMs: number, { ai, config }: AgentContext): void {
  const logId = (failure ?? answers.at(-1))?.aiGatewayLogId ?? null;
  void patchGatewayLog(ai, config, logId, { outcome: failure?.type ?? "ok", durationMs });
}

/** The audit line: who did what through which client, and where to find it at the gateway and at Microsoft. */
export function logCall(
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
  const ids = [...answers, failure].map((one) => one?.graphRequestId);
  context.log({
    level: ran.result.isError ? "WARN" : "INFO",
    message: `tool: ${tool.name}`,
    tool: tool.name,
    userId: authorization.person.oid,
    durationMs,
    status: last?.status,
    code: codeOf(ran),
    metadata: {
      binding: "MCP_OBJECT",
      clientId: authorization.clientId,
      accessIdentity: perimeter.identity?.subject ?? authorization.accessIdentity,
      aiGatewayLogId: last?.aiGatewayLogId ?? null,
      graphRequestIds: ids.filter((id) => id !== undefined),
    },
  });
}

/** Why the call came to nothing, in the words of its answer; undefined where it did what it was asked. */
function codeOf({ kind, result }: Ran): string | undefined {
  const { type } = result.structuredContent.error ?? {};
  if (typeof type === "string") return type;
  return kind === "session_ended" ? kind : undefined;
}

/** With `METRICS`: one point per call, counts and times, nobody's data. */
export function countAtMetrics(tool: Tool, ran: Ran, durationMs: number, context: AgentContext): void {
  context.metrics?.writeDataPoint({
    indexes: [tool.name],
    blobs: [tool.name, context.clientType, codeOf(ran) ?? ""],
    doubles: [durationMs, 1],
  });
}
