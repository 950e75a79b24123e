import type { Perimeter } from "../access/perimeter.ts";
import { err, type Result } from "../core/result.ts";
import { randomFraction } from "../crypto/random.ts";
import { type GatewayMetadata, sendThroughGateway } from "../egress/gateway.ts";
import { callGraph, type GraphDeps } from "../graph/client.ts";
import { type GraphFailure, localFailure } from "../graph/failure.ts";
import type { GraphAnswer, GraphRequest } from "../graph/request.ts";
import type { AccessGrant } from "../oauth/grant/access.ts";
import type { Tool } from "../tools/define.ts";
import { type CheckedCall, readAnswer } from "../tools/engine.ts";
import { logGraphCall } from "./call-log.ts";
import type { AgentContext } from "./context.ts";
import { endSession } from "./microsoft-session.ts";
import type { Usage } from "./usage.ts";

/** One run of a tool: everything that its steps share. */
export interface Run {
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

/** One request with the person's token, refreshed before it ends and once more when Graph says that it has. */
export async function takeStep(
  request: GraphRequest,
  run: Run,
): Promise<Result<unknown, GraphFailure> | "session_ended"> {
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
