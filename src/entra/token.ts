import * as v from "valibot";
import type { Config } from "../config.ts";
import { readBounded } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { fetchFrom } from "../egress/fetch.ts";
import { readEntraScope } from "./authorize-url.ts";
import { entraEndpoint, entraRedirectUri } from "./endpoints.ts";

/** A person waits for this; Entra answers well within a second. */
const DEADLINE_MS = 10_000;
/** Tokens are a few kilobytes. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** What Microsoft gave us for a person. Never leaves the grant's object. */
export interface MicrosoftTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresAt: EpochSeconds;
  readonly scopes: readonly string[];
}

export interface EntraFailure {
  /** `ended`: sign in again. `unavailable`: later. `misconfigured`: the operator has to act. */
  readonly kind: "ended" | "unavailable" | "misconfigured";
  readonly error: string;
  readonly errorCodes: readonly number[];
  readonly traceId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
}

const TOKENS = v.object({
  access_token: v.pipe(v.string(), v.minLength(1)),
  refresh_token: v.optional(v.string()),
  id_token: v.optional(v.string()),
  expires_in: v.pipe(v.number(), v.integer(), v.minValue(1)),
  scope: v.optional(v.string(), ""),
});

const FAILURE = v.object({
  error: v.string(),
  error_codes: v.optional(v.array(v.number()), []),
  trace_id: v.optional(v.string()),
});

export type EntraTokenAnswer = MicrosoftTokens & { readonly idToken: string | undefined };

/** Entra: v2-oauth2-auth-code-flow, "Redeem a code for an access token". */
export function redeemEntraCode(
  config: Config,
  exchange: { readonly code: string; readonly codeVerifier: string; readonly origin: string },
  now: EpochSeconds,
): Promise<Result<EntraTokenAnswer, EntraFailure>> {
  const parameters = {
    grant_type: "authorization_code",
    code: exchange.code,
    redirect_uri: entraRedirectUri(exchange.origin),
    code_verifier: exchange.codeVerifier,
  };
  return requestTokens(config, parameters, now);
}

/** Entra: v2-oauth2-auth-code-flow, "Refresh the access token". Without `scope` the granted ones are kept. */
export function refreshEntraTokens(
  config: Config,
  refreshToken: string,
  now: EpochSeconds,
): Promise<Result<EntraTokenAnswer, EntraFailure>> {
  return requestTokens(config, { grant_type: "refresh_token", refresh_token: refreshToken }, now);
}

async function requestTokens(
  config: Config,
  parameters: Record<string, string>,
  now: EpochSeconds,
): Promise<Result<EntraTokenAnswer, EntraFailure>> {
  const form = new URLSearchParams({
    client_id: config.MICROSOFT_CLIENT_ID,
    client_secret: config.MICROSOFT_CLIENT_SECRET,
    ...parameters,
  });
  try {
    const init = { method: "POST", body: form, headers: { Accept: "application/json" } };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await fetchFrom(config.MICROSOFT_AUTHORITY, entraEndpoint(config, "token"), init, signal);
    return readTokenAnswer(response.status, response.headers, await readJson(response), now);
  } catch {
    return err(unavailable("no_answer", undefined));
  }
}

async function readJson(response: Response): Promise<unknown> {
  const bytes = await readBounded(response.body, MAX_ANSWER_BYTES);
  const value = bytes.ok ? parseJson(readUtf8(bytes.value) ?? "") : undefined;
  return value?.ok ? value.value : undefined;
}

/** Pure. Decides by `error`, never by its description (Entra: reference-error-codes). */
export function readTokenAnswer(
  status: number,
  headers: Headers,
  body: unknown,
  now: EpochSeconds,
): Result<EntraTokenAnswer, EntraFailure> {
  const retryAfter = headers.get("Retry-After") ?? "";
  const retryAfterSeconds = /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined;
  if (status === 429 || status >= 500) return err(unavailable(`status_${status}`, retryAfterSeconds));
  const tokens = v.safeParse(TOKENS, body);
  if (status === 200 && tokens.success) {
    const { access_token, refresh_token, id_token, expires_in, scope } = tokens.output;
    return ok({
      accessToken: access_token,
      refreshToken: refresh_token,
      expiresAt: addSeconds(now, expires_in),
      scopes: readEntraScope(scope),
      idToken: id_token,
    });
  }
  const failure = v.safeParse(FAILURE, body);
  if (!failure.success) return err(unavailable("answer_malformed", retryAfterSeconds));
  const { error, error_codes, trace_id } = failure.output;
  return err({ kind: failureKind(error), error, errorCodes: error_codes, traceId: trace_id, retryAfterSeconds });
}

function failureKind(error: string): EntraFailure["kind"] {
  switch (error) {
    case "invalid_grant":
    case "interaction_required":
    case "consent_required":
    case "login_required":
    case "access_denied":
      return "ended";
    case "temporarily_unavailable":
    case "server_error":
      return "unavailable";
    default:
      return "misconfigured";
  }
}

function unavailable(error: string, retryAfterSeconds: number | undefined): EntraFailure {
  return { kind: "unavailable", error, errorCodes: [], traceId: undefined, retryAfterSeconds };
}
