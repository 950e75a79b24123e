import { readBounded } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { GatewayAnswer, GatewayProblem, GatewayRequest } from "../egress/gateway.ts";
import { type GraphFailure, localFailure, type RawAnswer, readFailure } from "./failure.ts";
import type { GraphAnswer, GraphRequest } from "./request.ts";
import { writeGraphPath } from "./url.ts";

/** The way out and everything that identifies this call; one value per call, nothing shared. */
export interface GraphDeps {
  readonly send: (request: GatewayRequest, deadlineMs: number) => Promise<Result<GatewayAnswer, GatewayProblem>>;
  readonly accessToken: string;
  readonly requestId: string;
  readonly version: "v1.0" | "beta";
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** A person waits for a read; a write may take Exchange a little longer. */
const READ_DEADLINE_MS = 15_000;
const WRITE_DEADLINE_MS = 30_000;
/** Fifty mails with long bodies; beyond this an answer is no use to a model. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;

/** Sends one request once. */
export async function callGraph(request: GraphRequest, deps: GraphDeps): Promise<Result<GraphAnswer, GraphFailure>> {
  const isRead = request.method === "GET";
  const sent = await deps.send(buildRequest(request, deps), isRead ? READ_DEADLINE_MS : WRITE_DEADLINE_MS);
  if (!sent.ok) return err(unanswered(sent.error));
  const { response, logId } = sent.value;
  const bytes = await readBounded(response.body, MAX_ANSWER_BYTES).catch(() => err("answer_cut" as const));
  const details = {
    status: response.status,
    graphRequestId: response.headers.get("request-id") ?? undefined,
    aiGatewayLogId: logId,
  };
  if (!bytes.ok) {
    const type = bytes.error === "body_too_large" ? "response_too_large" : "response_invalid";
    return err(localFailure(type, false, details));
  }
  const text = readUtf8(bytes.value);
  const raw: RawAnswer = { ...details, headers: response.headers, text: text ?? "", nowMs: deps.clock() };
  if (response.status < 200 || response.status > 299) return err(readFailure(raw));
  return readBody(request, text, details);
}

function buildRequest(request: GraphRequest, deps: GraphDeps): GatewayRequest {
  const headers: Record<string, string> = {
    Authorization: `Bearer ${deps.accessToken}`,
    Accept: "application/json",
    "client-request-id": deps.requestId,
  };
  if (request.prefer !== undefined && request.prefer.length > 0) headers.Prefer = request.prefer.join(", ");
  if (request.body !== undefined) headers["Content-Type"] = "application/json";
  return { method: request.method, path: writeGraphPath(deps.version, request.path), headers, body: request.body };
}

/** 202 and 204 carry nothing after a write; a read without JSON is not an answer. */
function readBody(
  request: GraphRequest,
  text: string | undefined,
  details: Omit<GraphAnswer, "body">,
): Result<GraphAnswer, GraphFailure> {
  const isWrite = request.method !== "GET";
  if (text === "" && isWrite) return ok({ ...details, body: undefined });
  const value = text === undefined ? undefined : parseJson(text);
  if (value?.ok) return ok({ ...details, body: value.value });
  // The write was carried out; an answer we cannot read does not undo it.
  return isWrite ? ok({ ...details, body: undefined }) : err(localFailure("response_invalid", false, details));
}

function unanswered(problem: GatewayProblem): GraphFailure {
  switch (problem) {
    case "egress_unconfigured":
      return localFailure("egress_unconfigured", false);
    case "timeout":
      return localFailure("graph_timeout", true);
    case "network":
      return localFailure("gateway_unavailable", true);
  }
}
