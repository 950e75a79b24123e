import type { Config } from "../config.ts";
import { readJson } from "../core/body.ts";
import { err, ok, type Result } from "../core/result.ts";
import { isTimeout } from "../egress/fetch.ts";
import type { GatewayAnswer, GatewayProblem, GatewayRequest } from "../egress/gateway.ts";
import { failure, type GraphFailure, isBlocked, mayBeDone, readFailure } from "./failure.ts";
import {
  FIRST_WAIT_MS,
  MAX_ANSWER_BYTES,
  MAX_ATTEMPTS,
  READ_DEADLINE_MS,
  RETRY_BUDGET_MS,
  WRITE_DEADLINE_MS,
} from "./limits.ts";
import type { GraphAnswer, GraphRequest } from "./request.ts";
import type { Traffic } from "./traffic.ts";
import { writeGraphPath } from "./url.ts";

/** The way out and everything that identifies this call; only `traffic` is shared with other calls of the grant. */
export interface GraphDeps {
  readonly send: (request: GatewayRequest, deadlineMs: number) => Promise<Result<GatewayAnswer, GatewayProblem>>;
  readonly traffic: Traffic;
  readonly accessToken: string;
  readonly requestId: string;
  readonly config: Config;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Is told of every attempt. */
  readonly report: (result: Result<GraphAnswer, GraphFailure>, attempt: number, durationMs: number) => void;
}

/** Sends a request, in its turn, and again where that can do no harm. */
export async function callGraph(request: GraphRequest, deps: GraphDeps): Promise<Result<GraphAnswer, GraphFailure>> {
  const { clock, traffic, wait } = deps;
  const message = buildRequest(request, deps);
  if (request.afterMs !== undefined) await wait(request.afterMs);
  const startedMs = clock();
  const lastMs = startedMs + (request.method === "GET" ? READ_DEADLINE_MS : WRITE_DEADLINE_MS);
  let result: Result<GraphAnswer, GraphFailure> | undefined;
  let isUncertain = false;
  for (let attempt = 1; ; attempt += 1) {
    const refused = await traffic.enter(clock(), () => wait(lastMs - clock()));
    // What an earlier attempt came to says more: that one was sent.
    if (refused !== undefined) return result ?? err(refused);
    const attemptedMs = clock();
    // A fault of ours must not keep the place of this request for ever.
    result = err(failure("gateway_unavailable"));
    try {
      result = await attemptOnce(message, deps, Math.max(1, lastMs - attemptedMs));
    } finally {
      traffic.leave(result, clock());
    }
    if (!result.ok) {
      isUncertain ||= request.method !== "GET" && mayBeDone(result.error);
      result = err({ ...result.error, isUncertain });
    }
    deps.report(result, attempt, clock() - attemptedMs);
    if (result.ok || attempt === MAX_ATTEMPTS || !isRepeatable(request, result.error)) return result;
    const backoffMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + deps.random() / 2);
    const waitMs = Math.max((result.error.retryAfterSeconds ?? 0) * 1000, backoffMs);
    if (clock() + waitMs - startedMs > RETRY_BUDGET_MS || traffic.isPaused(clock())) return result;
    await wait(waitMs);
  }
}

/**
 * Graph: throttling and best practices. A 429 was not carried out; after anything else a send may have happened. What a
 * policy of the gateway blocked would be blocked again, and may have been carried out whatever its status says.
 */
function isRepeatable({ method, isIdempotent }: GraphRequest, { status = 0, type }: GraphFailure): boolean {
  const isNetwork = status === 0 && type === "gateway_unavailable";
  const isSafe =
    method === "GET" ? isNetwork || (status >= 502 && status <= 504) : isIdempotent && (isNetwork || status >= 500);
  return type !== "gateway_policy" && (status === 429 || isSafe === true);
}

async function attemptOnce(
  message: GatewayRequest,
  deps: GraphDeps,
  deadlineMs: number,
): Promise<Result<GraphAnswer, GraphFailure>> {
  const sent = await deps.send(message, deadlineMs);
  if (!sent.ok) return err(failure(sent.error));
  const { response, logId } = sent.value;
  const { status, headers } = response;
  const answer = { status, graphRequestId: headers.get("request-id") ?? undefined, aiGatewayLogId: logId };
  const read = await readJson(response, MAX_ANSWER_BYTES).catch((error: unknown) =>
    err(isTimeout(error) ? ("graph_timeout" as const) : ("broken" as const)),
  );
  const body = read.ok ? read.value : undefined;
  if (!response.ok || isBlocked(headers)) return err(readFailure(body, headers, answer, deps.clock()));
  // 202 and 204 carry nothing; and an answer that we cannot read does not undo a write.
  if (read.ok || message.method !== "GET") return ok({ ...answer, body });
  const { error } = read;
  return err(
    failure(
      error === "graph_timeout" ? error : error === "body_too_large" ? "response_too_large" : "response_invalid",
      answer,
    ),
  );
}

function buildRequest({ method, path, prefer, body }: GraphRequest, deps: GraphDeps): GatewayRequest {
  const headers = {
    Authorization: `Bearer ${deps.accessToken}`,
    Accept: "application/json",
    "client-request-id": deps.requestId,
    ...(prefer && { Prefer: prefer.join(", ") }),
    ...(body && { "Content-Type": "application/json" }),
  };
  return { method, path: writeGraphPath(deps.config.GRAPH_API_VERSION, path), headers, body };
}
