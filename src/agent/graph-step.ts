import { err, type Result } from "../core/result.ts";
import { randomFraction } from "../crypto/random.ts";
import { type GatewayMetadata, sendThroughGateway } from "../egress/gateway.ts";
import { callGraph, type GraphDeps } from "../graph/client.ts";
import { failure, type GraphFailure } from "../graph/failure.ts";
import type { GraphAnswer, GraphRequest } from "../graph/request.ts";
import type { AccessGrant } from "../oauth/grant/access.ts";
import type { Tool } from "../tools/define.ts";
import { readAnswer } from "../tools/engine.ts";
import { logGraphCall } from "./call-log.ts";
import type { AgentContext } from "./context.ts";
import { endSession } from "./microsoft-session.ts";
import type { CallInput } from "./tool-call.ts";
import type { Usage } from "./usage.ts";

/** One run of a tool: everything that its steps share. */
export interface Run extends AgentContext, CallInput, AccessGrant {
  readonly tool: Tool;
  readonly usage: Usage;
  /** As Graph gave them, in order; a failure that ends the run is the last. */
  readonly answers: (GraphAnswer | GraphFailure)[];
}

/** One request with the person's token, refreshed before it ends and once more when Graph says that it has. */
export async function takeStep(
  request: GraphRequest,
  run: Run,
): Promise<Result<unknown, GraphFailure | "session_ended">> {
  const { tool, microsoft, answers } = run;
  for (let refused: string | undefined; ; ) {
    const token = await microsoft.accessToken(run, refused);
    if (!token.ok) {
      const { reason, retryAfterSeconds } = token.error;
      return err(reason === "microsoft_ended" ? "session_ended" : failure("signin_unavailable", { retryAfterSeconds }));
    }
    const called = await callGraph(request, wayOf(token.value, run));
    if (called.ok) {
      const { body, ...answer } = called.value;
      answers.push(called.value);
      let read = readAnswer(tool, body);
      // An answer that we cannot read does not undo a write.
      if (!read.ok && request.method !== "GET") read = readAnswer(tool, undefined);
      return read.ok ? read : err(failure(read.error, answer));
    }
    // Conditional Access wants more than a refresh can give (Entra: claims-challenge).
    if (called.error.isClaimsChallenge) {
      endSession(run);
      return err("session_ended");
    }
    // A 401 was not carried out, so it may be sent again, writes included.
    if (called.error.type !== "graph_unauthorized" || refused !== undefined) return called;
    refused = token.value;
  }
}

/** The run as `callGraph` needs it. */
function wayOf(accessToken: string, run: Run): GraphDeps {
  const { tool, authorization, perimeter, requestId } = run;
  const { oid, email } = authorization.person;
  const userEmail = perimeter.identity?.email ?? email;
  const metadata: GatewayMetadata = { userId: oid, ...(userEmail && { userEmail }), mcpTool: tool.name, requestId };
  return {
    ...run,
    send: (request, deadlineMs) => sendThroughGateway(run, request, metadata, deadlineMs),
    accessToken,
    wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    random: randomFraction,
    report: (...reported) => logGraphCall(run, ...reported),
  };
}
