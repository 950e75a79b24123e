import { isJsonObject, type JsonObject } from "../core/json.ts";

/** Why a call to Microsoft 365 gave no result. The names are part of the product's interface. */
export type FailureType =
  | "graph_bad_request"
  | "graph_unauthorized"
  | "graph_forbidden"
  | "graph_not_found"
  | "graph_conflict"
  | "graph_too_large"
  | "graph_throttled"
  | "graph_unavailable"
  | "graph_timeout"
  | "mailbox_unavailable"
  | "response_invalid"
  | "response_too_large"
  | "gateway_policy"
  | "gateway_rate_limited"
  | "gateway_unavailable"
  | "egress_unconfigured"
  | "signin_unavailable";

export interface GraphFailure {
  readonly type: FailureType;
  /** Graph's or the gateway's own code, such as `ErrorItemNotFound` or `2029`. */
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  /** Graph's words, for people only; clipped where they are shown. */
  readonly quoted: string | undefined;
  readonly graphRequestId: string | undefined;
  readonly aiGatewayLogId: string | null;
  /** A claims challenge: Microsoft wants the person to sign in again (Entra: claims-challenge). */
  readonly isClaimsChallenge: boolean;
}

/** What came back, read as far as the bound. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly aiGatewayLogId: string | null;
  /** Milliseconds since the epoch, for a Retry-After that is a date. */
  readonly nowMs: number;
}

/** Tells who refused, the gateway or Graph, by the body and never by the status alone. Pure. */
export function readFailure(answer: RawAnswer): GraphFailure {
  const body = parseObject(answer.text);
  const gateway = readGatewayCode(answer.headers, body);
  const retryAfterSeconds = readRetryAfter(answer.headers.get("Retry-After"), answer.nowMs);
  const common = {
    status: answer.status,
    retryAfterSeconds,
    graphRequestId: answer.headers.get("request-id") ?? undefined,
    aiGatewayLogId: answer.aiGatewayLogId,
  };
  if (gateway !== undefined) {
    const type = gatewayType(gateway, answer.status);
    return { ...localFailure(type), ...common, code: gateway };
  }
  const { code, message } = readGraphError(body);
  const challenge = answer.headers.get("WWW-Authenticate") ?? "";
  const isClaimsChallenge = answer.status === 401 && /insufficient_claims|claims=/.test(challenge);
  return { ...localFailure(graphType(answer.status, code)), ...common, code, quoted: message, isClaimsChallenge };
}

/** Somebody was busy or away; later the same call may succeed. */
const RETRYABLE: readonly FailureType[] = [
  "graph_throttled",
  "graph_unavailable",
  "graph_timeout",
  "gateway_rate_limited",
  "gateway_unavailable",
  "signin_unavailable",
];

/** A failure that never reached an answer. */
export function localFailure(
  type: FailureType,
  details: Partial<Pick<GraphFailure, "status" | "retryAfterSeconds" | "graphRequestId" | "aiGatewayLogId">> = {},
): GraphFailure {
  return {
    type,
    code: undefined,
    status: details.status,
    retryable: RETRYABLE.includes(type),
    retryAfterSeconds: details.retryAfterSeconds,
    quoted: undefined,
    graphRequestId: details.graphRequestId,
    aiGatewayLogId: details.aiGatewayLogId ?? null,
    isClaimsChallenge: false,
  };
}

/** 2016, 2017: guardrails; 2029, 2030: data loss prevention. Cloudflare: ai-gateway guardrails, dlp */
const POLICY_CODES = ["2016", "2017", "2029", "2030"];
const RATE_LIMIT_CODE = "2003";

function gatewayType(code: string, status: number): FailureType {
  if (POLICY_CODES.includes(code) || code === "dlp") return "gateway_policy";
  if (code === RATE_LIMIT_CODE || status === 429) return "gateway_rate_limited";
  return "gateway_unavailable";
}

/** The gateway numbers its errors, at the top or in a list; Graph names them in one object. */
function readGatewayCode(headers: Headers, body: JsonObject | undefined): string | undefined {
  const code = body === undefined ? undefined : numericCode(body);
  return isBlocked(headers) ? (code ?? "dlp") : code;
}

/** Cloudflare: ai-gateway dlp. The status of a blocked answer is not documented, so it counts for nothing. */
export function isBlocked(headers: Headers): boolean {
  return /"action"\s*:\s*"BLOCK"/i.test(headers.get("cf-aig-dlp") ?? "");
}

function numericCode(body: JsonObject): string | undefined {
  for (const candidate of [body.internalCode, body.code, firstCode(body.error), firstCode(body.errors)]) {
    if (typeof candidate === "number") return String(candidate);
  }
  return body.name === "AiGatewayError" ? "gateway" : undefined;
}

function firstCode(list: unknown): unknown {
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  return isJsonObject(first) ? first.code : undefined;
}

function readGraphError(body: JsonObject | undefined): { code: string | undefined; message: string | undefined } {
  const error = body?.error;
  if (!isJsonObject(error)) return { code: undefined, message: undefined };
  const { code, message } = error;
  return {
    code: typeof code === "string" ? code.slice(0, 100) : undefined,
    message: typeof message === "string" ? message : undefined,
  };
}

const NO_MAILBOX = ["MailboxNotEnabledForRESTAPI", "ErrorNonExistentMailbox", "MailboxNotSupportedForRESTAPI"];
const TOO_LARGE = ["ErrorMessageSizeExceeded", "RequestEntityTooLarge"];
const NOT_FOUND = ["ErrorItemNotFound", "itemNotFound", "ResourceNotFound", "ErrorInvalidIdMalformed"];
const THROTTLED = ["TooManyRequests", "ApplicationThrottled", "activityLimitReached"];

/** Graph: resolve errors. The code counts more than the status; the message counts for nothing. */
function graphType(status: number, code: string | undefined): FailureType {
  if (code !== undefined && NO_MAILBOX.includes(code)) return "mailbox_unavailable";
  if (code !== undefined && TOO_LARGE.includes(code)) return "graph_too_large";
  if (code !== undefined && NOT_FOUND.includes(code)) return "graph_not_found";
  if (code !== undefined && THROTTLED.includes(code)) return "graph_throttled";
  if (status === 401) return "graph_unauthorized";
  if (status === 403) return "graph_forbidden";
  if (status === 404 || status === 410) return "graph_not_found";
  if (status === 409 || status === 412) return "graph_conflict";
  if (status === 413 || status === 507) return "graph_too_large";
  if (status === 429) return "graph_throttled";
  if (status === 504) return "graph_timeout";
  if (status >= 500 || status === 423) return "graph_unavailable";
  return "graph_bad_request";
}

/** RFC 9110 §10.2.3: seconds or a date. @returns whole seconds from now, never negative */
export function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000));
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
