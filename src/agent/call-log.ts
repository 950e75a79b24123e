import type { Result } from "../core/result.ts";
import { patchGatewayLog } from "../egress/gateway.ts";
import type { GraphFailure } from "../graph/failure.ts";
import type { GraphAnswer } from "../graph/request.ts";
import type { Run } from "./graph-step.ts";

/** One line per attempt. */
export function logGraphCall(
  { tool, authorization, log }: Run,
  result: Result<GraphAnswer, GraphFailure>,
  attempt: number,
  durationMs: number,
): void {
  const { status, aiGatewayLogId = null, graphRequestId } = result.ok ? result.value : result.error;
  const metadata = { aiGatewayLogId, graphRequestId, attempt };
  const common = { userId: authorization.person.oid, tool: tool.name, durationMs, status, metadata };
  if (result.ok) log({ level: "DEBUG", message: "Graph call", ...common });
  else {
    const code = result.error.type;
    const context = `Microsoft Graph error${code.endsWith("timeout") ? ": timeout exceeded" : ""}`;
    log({ level: "WARN", message: "Graph API error", code, context, ...common });
  }
}

/**
 * What came of a call: to the audit line (who did what through which client, and where to find it at the gateway and at
 * Microsoft), to the gateway's log, and with `METRICS` as one point of counts and times, nobody's data.
 * @param code why it failed; undefined when it did not
 */
export function recordCall(run: Run, code: string | undefined, durationMs: number): void {
  const { tool, authorization, answers } = run;
  const { status, aiGatewayLogId = null } = answers.at(-1) ?? {};
  run.log({
    level: code ? "WARN" : "INFO",
    message: `tool: ${tool.name}`,
    tool: tool.name,
    userId: authorization.person.oid,
    durationMs,
    status,
    code,
    // LG-03: the word that is searched for.
    context: code === "rate_limited" ? "quota exceeded" : undefined,
    metadata: {
      binding: "MCP_OBJECT",
      clientId: authorization.clientId,
      accessIdentity: run.perimeter.identity?.subject ?? authorization.accessIdentity,
      aiGatewayLogId,
      graphRequestIds: answers.flatMap(({ graphRequestId = [] }) => graphRequestId),
    },
  });
  // Nobody waits for it: an object stays while one of its requests is on its way.
  void patchGatewayLog(run, aiGatewayLogId, { outcome: code ?? "ok", durationMs });
  run.metrics?.writeDataPoint({
    indexes: [tool.name],
    blobs: [tool.name, run.clientType, code ?? ""],
    doubles: [durationMs, 1],
  });
}
