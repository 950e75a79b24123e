import * as v from "valibot";
import type { Config } from "../config.ts";
import { readJson } from "../core/body.ts";
import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { fetchOnce } from "../egress/fetch.ts";
import { readEntraScope } from "./authorize-url.ts";
import { entraRedirectUri, entraUrl } from "./endpoints.ts";

/** What Microsoft gave us for a person. Never leaves the grant's object. */
export interface MicrosoftTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresAt: EpochSeconds;
}

export type EntraTokenAnswer = MicrosoftTokens & {
  readonly scopes: readonly string[];
  readonly idToken: string | undefined;
};

export interface EntraFailure {
  /** `ended`: sign in again. `unavailable`: later. `misconfigured`: the operator has to act. */
  readonly kind: "ended" | "unavailable" | "misconfigured";
  readonly error: string;
  readonly errorCodes?: readonly number[] | undefined;
  readonly traceId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

/** Tokens, or an error (RFC 6749 §5.1, §5.2). */
const ANSWER = v.object({
  access_token: v.optional(v.string()),
  refresh_token: v.optional(v.string()),
  id_token: v.optional(v.string()),
  expires_in: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  scope: v.optional(v.string()),
  error: v.optional(v.string()),
  error_codes: v.optional(v.array(v.number())),
  trace_id: v.optional(v.string()),
});

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
  return requestEntraTokens(config, parameters, now);
}

/** Entra: v2-oauth2-auth-code-flow. When a token is refreshed without `scope`, the granted ones are kept. */
export async function requestEntraTokens(
  config: Config,
  parameters: Record<string, string>,
  now: EpochSeconds,
): Promise<Result<EntraTokenAnswer, EntraFailure>> {
  /** A person waits for this; Entra answers well within a second. */
  const DEADLINE_MS = 10_000;
  const body = new URLSearchParams({
    client_id: config.MICROSOFT_CLIENT_ID,
    client_secret: config.MICROSOFT_CLIENT_SECRET,
    ...parameters,
  });
  try {
    const response = await fetchOnce(entraUrl(config, "oauth2/v2.0/token"), { method: "POST", body }, DEADLINE_MS);
    return await readTokenAnswer(response, now);
  } catch {
    return err({ kind: "unavailable", error: "no_answer" });
  }
}

const ENDED = ["invalid_grant", "interaction_required", "consent_required", "login_required", "access_denied"];
const AWAY = ["temporarily_unavailable", "server_error", "answer_malformed"];

/** Decides by `error`, never by its description (Entra: reference-error-codes). */
export async function readTokenAnswer(
  response: Response,
  now: EpochSeconds,
): Promise<Result<EntraTokenAnswer, EntraFailure>> {
  /** Tokens are a few kilobytes. */
  const MAX_ANSWER_BYTES = 256 * 1024;
  const { status, headers } = response;
  const [seconds] = /^\d{1,6}$/.exec(headers.get("Retry-After") ?? "") ?? [];
  const body = await readJson(response, MAX_ANSWER_BYTES);
  const read = v.safeParse(ANSWER, body.ok && body.value);
  const answer: Partial<v.InferOutput<typeof ANSWER>> = read.success ? read.output : {};
  const { access_token, expires_in, scope = "", error = "answer_malformed" } = answer;
  if (status === 200 && access_token && expires_in) {
    return ok({
      accessToken: access_token,
      refreshToken: answer.refresh_token,
      expiresAt: addSeconds(now, expires_in),
      scopes: readEntraScope(scope),
      idToken: answer.id_token,
    });
  }
  const isAway = status === 429 || status >= 500;
  return err({
    kind: isAway || AWAY.includes(error) ? "unavailable" : ENDED.includes(error) ? "ended" : "misconfigured",
    error: isAway ? `status_${status}` : error,
    errorCodes: answer.error_codes,
    traceId: answer.trace_id,
    retryAfterSeconds: seconds ? Number(seconds) : undefined,
  });
}
