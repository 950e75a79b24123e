import { isJsonObject, type JsonObject } from "../core/json.ts";
import type { GraphAnswer } from "./request.ts";

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

/** `status` and the ids where an answer came. */
export interface GraphFailure extends Partial<Omit<GraphAnswer, "body">> {
  readonly type: FailureType;
  readonly retryable: boolean;
  /** Graph's or the gateway's own code, such as `ErrorItemNotFound` or `2029`. */
  readonly code?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  /** Graph's words, for people only; clipped where they are shown. */
  readonly quoted?: string | undefined;
  /** An attempt of a POST or PATCH, this one or an earlier one, may have been carried out. */
  readonly isUncertain?: boolean;
  /** A claims challenge: Microsoft wants the person to sign in again (Entra: claims-challenge). */
  readonly isClaimsChallenge?: boolean;
}

/** Nobody was there, or nobody answered. */
const AWAY: readonly FailureType[] = ["graph_unavailable", "graph_timeout", "gateway_unavailable"];
/** Later the same call may succeed. */
const RETRYABLE: readonly FailureType[] = [...AWAY, "graph_throttled", "gateway_rate_limited", "signin_unavailable"];

export function isAway({ type }: GraphFailure): boolean {
  return AWAY.includes(type);
}

/**
 * Whether a request may have been carried out although it failed. 2017 and 2030 block answers, not requests; what the
 * gateway or Graph refuses with a 4xx other than RFC 9110 §15.5.9 was not. Without a status nobody answered.
 */
export function mayBeDone(failure: GraphFailure): boolean {
  const { type, status = 500, code = "" } = failure;
  if (type === "gateway_policy") return !["2016", "2029"].includes(code);
  return isAway(failure) && (status >= 500 || status === 408);
}

export function failure(type: FailureType, details?: Omit<GraphFailure, "type" | "retryable">): GraphFailure {
  return { ...details, type, retryable: RETRYABLE.includes(type) };
}

/** What a status means, and the codes of Graph (Graph: resolve errors) and of the gateway that say more than theirs. */
const SIGNS: readonly (readonly [FailureType, ...(string | number)[]])[] = [
  ["graph_unauthorized", 401],
  ["graph_forbidden", 403],
  ["graph_not_found", 404, 410, "ErrorInvalidIdMalformed"],
  ["graph_conflict", 409, 412],
  ["graph_too_large", 413, 507, "ErrorMessageSizeExceeded"],
  ["graph_throttled", 429, "ApplicationThrottled"],
  ["graph_timeout", 504],
  ["graph_unavailable", 423],
  ["mailbox_unavailable", "MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI", "ErrorNonExistentMailbox"],
  // 2016, 2017: guardrails; 2029, 2030: data loss prevention. Cloudflare: ai-gateway guardrails, dlp
  ["gateway_policy", "dlp", "2016", "2017", "2029", "2030"],
  ["gateway_rate_limited", "2003"],
];

function meaningOf(sign: unknown): FailureType | undefined {
  return SIGNS.find(([, ...signs]) => (signs as unknown[]).includes(sign))?.[0];
}

/**
 * Tells who refused, the gateway or Graph, by the body and never by the status alone. Pure.
 * @param body parsed as far as it is JSON
 * @param nowMs milliseconds since the epoch, for a Retry-After that is a date
 */
export function readFailure(
  body: unknown,
  headers: Headers,
  answer: Omit<GraphAnswer, "body">,
  nowMs: number,
): GraphFailure {
  const { status } = answer;
  const object = isJsonObject(body) ? body : {};
  const details = { ...answer, retryAfterSeconds: readRetryAfter(headers.get("Retry-After"), nowMs) };
  const gatewayCode = readGatewayCode(object) ?? (isBlocked(headers) ? "dlp" : undefined);
  if (gatewayCode !== undefined) {
    const type = meaningOf(gatewayCode) ?? (status === 429 ? "gateway_rate_limited" : "gateway_unavailable");
    return failure(type, { ...details, code: gatewayCode });
  }
  const { code, message } = isJsonObject(object.error) ? object.error : {};
  // The code counts more than the status; the message counts for nothing.
  const type = meaningOf(code) ?? meaningOf(status) ?? (status >= 500 ? "graph_unavailable" : "graph_bad_request");
  return failure(type, {
    ...details,
    code: typeof code === "string" ? code.slice(0, 100) : undefined,
    quoted: typeof message === "string" ? message : undefined,
    isClaimsChallenge: status === 401 && /insufficient_claims|claims=/.test(headers.get("WWW-Authenticate") ?? ""),
  });
}

/** The gateway numbers its errors, at the top or in a list; Graph names them in one object. */
function readGatewayCode(body: JsonObject): string | undefined {
  const listed = [body.error, body.errors].filter(Array.isArray).flat().filter(isJsonObject);
  const codes = [body, ...listed].flatMap(({ internalCode, code }) => [internalCode, code]);
  return (
    codes.find((code) => typeof code === "number")?.toString() ??
    (body.name === "AiGatewayError" ? "gateway" : undefined)
  );
}

/** Cloudflare: ai-gateway dlp. The status of a blocked answer is not documented, so it counts for nothing. */
export function isBlocked(headers: Headers): boolean {
  return /"action"\s*:\s*"BLOCK"/i.test(headers.get("cf-aig-dlp") ?? "");
}

/** RFC 9110 §10.2.3: seconds or a date. @returns whole seconds from now, never negative */
export function readRetryAfter(value: string | null, nowMs: number): number | undefined {
  const given = Number(value ?? NaN);
  const seconds = Number.isNaN(given) ? (Date.parse(value ?? "") - nowMs) / 1000 : given;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}
