import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { GatewayAnswer, GatewayProblem, GatewayRequest } from "../egress/gateway.ts";
import { type GraphFailure, isBlocked, localFailure, readFailure } from "./failure.ts";
import type { GraphAnswer, GraphRequest } from "./request.ts";
import type { Traffic } from "./traffic.ts";
import { writeGraphPath } from "./url.ts";

/** The way out and everything that identifies this call; only `traffic` is shared with other calls of the grant. */
export interface GraphDeps {
  readonly send: (request: GatewayRequest, deadlineMs: number) => Promise<Result<GatewayAnswer, GatewayProblem>>;
  readonly traffic: Traffic;
  readonly accessToken: string;
  readonly requestId: string;
  readonly version: "v1.0" | "beta";
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Is told of every attempt. */
  readonly report: (result: Result<GraphAnswer, GraphFailure>, attempt: number, durationMs: number) => void;
}

/** A person waits for a read; a write may take Exchange a little longer. */
const READ_DEADLINE_MS = 15_000;
const WRITE_DEADLINE_MS = 30_000;
const MAX_ATTEMPTS = 3;
/** From the first attempt to the last; whoever would have to wait longer is told so instead. */
const RETRY_BUDGET_MS = 10_000;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 8000;
/** Fifty mails with long bodies; beyond this an answer is no use to a model. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;

/** Sends a request, in its turn, and again where that can do no harm. */
export async function callGraph(request: GraphRequest, deps: GraphDeps): Promise<Result<GraphAnswer, GraphFailure>> {
  const { clock, traffic } = deps;
  const message = buildRequest(request, deps);
  if (request.afterMs !== undefined) await deps.wait(request.afterMs);
  const startedMs = clock();
  const lastMs = startedMs + (request.method === "GET" ? READ_DEADLINE_MS : WRITE_DEADLINE_MS);
  for (let attempt = 1; ; attempt += 1) {
    const entered = await traffic.enter(clock(), () => deps.wait(lastMs - clock()));
    if (!entered.ok) return entered;
    const attemptedMs = clock();
    const result = await attemptOnce(message, deps, lastMs - attemptedMs).catch((fault: unknown) => {
      // A fault of ours must not keep the place of this request for ever.
      traffic.leave(err(UNANSWERED.network), clock());
      throw fault;
    });
    traffic.leave(result, clock());
    deps.report(result, attempt, clock() - attemptedMs);
    if (result.ok || attempt === MAX_ATTEMPTS || !isRepeatable(request, result.error)) return result;
    const backoffMs = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1)) * (0.5 + deps.random() / 2);
    const waitMs = Math.max((result.error.retryAfterSeconds ?? 0) * 1000, backoffMs);
    if (clock() + waitMs - startedMs > RETRY_BUDGET_MS || traffic.isPaused(clock())) return result;
    await deps.wait(waitMs);
  }
}

/** Graph: throttling and best practices. A 429 was not carried out; after anything else a send may have happened. */
function isRepeatable({ method, isIdempotent }: GraphRequest, { status, type }: GraphFailure): boolean {
  if (status === 429) return true;
  const isNetwork = status === undefined && type === "gateway_unavailable";
  if (method === "GET") return isNetwork || [502, 503, 504].includes(status ?? 0);
  return isIdempotent === true && (isNetwork || (status ?? 0) >= 500);
}

async function attemptOnce(
  message: GatewayRequest,
  deps: GraphDeps,
  deadlineMs: number,
): Promise<Result<GraphAnswer, GraphFailure>> {
  const sent = await deps.send(message, Math.max(1, deadlineMs));
  if (!sent.ok) return err(UNANSWERED[sent.error]);
  const { response, logId } = sent.value;
  const { status, headers } = response;
  const details = { status, graphRequestId: headers.get("request-id") ?? undefined, aiGatewayLogId: logId };
  const bytes = await readBody(response, MAX_ANSWER_BYTES).catch((error: unknown) =>
    err(
      error instanceof Error && error.name === "TimeoutError"
        ? ("graph_timeout" as const)
        : ("response_invalid" as const),
    ),
  );
  const text = bytes.ok ? readUtf8(bytes.value) : undefined;
  if (status < 200 || status > 299 || isBlocked(headers))
    return err(readFailure({ ...details, headers, text: text ?? "", nowMs: deps.clock() }));
  const value = text === undefined ? undefined : parseJson(text);
  if (value?.ok) return ok({ ...details, body: value.value });
  // 202 and 204 carry nothing; and an answer that we cannot read does not undo a write.
  if (message.method !== "GET") return ok({ ...details, body: undefined });
  const problem = bytes.ok ? "response_invalid" : bytes.error;
  return err(localFailure(problem === "body_too_large" ? "response_too_large" : problem, details));
}

function buildRequest(request: GraphRequest, deps: GraphDeps): GatewayRequest {
  const { method, path, prefer = [], body } = request;
  const headers = {
    Authorization: `Bearer ${deps.accessToken}`,
    Accept: "application/json",
    "client-request-id": deps.requestId,
    ...(prefer.length > 0 && { Prefer: prefer.join(", ") }),
    ...(body !== undefined && { "Content-Type": "application/json" }),
  };
  return { method, path: writeGraphPath(deps.version, path), headers, body };
}

const UNANSWERED: { readonly [Problem in GatewayProblem]: GraphFailure } = {
  egress_unconfigured: localFailure("egress_unconfigured"),
  timeout: localFailure("graph_timeout"),
  network: localFailure("gateway_unavailable"),
};
