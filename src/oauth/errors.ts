import { err } from "../core/result.ts";
import type { FormProblem } from "../http/parameters.ts";
import { json } from "../http/responses.ts";
import type { OAuthContext } from "./context.ts";
import { errorPage } from "./page.ts";

/** RFC 6749 §4.1.2.1 and §5.2, RFC 7591 §3.2.2, RFC 8707 §2. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_redirect_uri"
  | "invalid_client_metadata"
  | "access_denied"
  | "temporarily_unavailable"
  | "server_error";

/** Why a request is refused. `error` and `description` go over the wire, `reason` to the log alone. */
export interface Refusal {
  readonly error: OAuthErrorCode;
  readonly reason: string;
  readonly description: string;
  /** Where it is not the usual one of `error`. */
  readonly status?: number | undefined;
  readonly retryAfterSeconds?: number | undefined;
}

export function refuse(error: OAuthErrorCode, reason: string, description: string, more?: Partial<Refusal>) {
  return err<Refusal>({ error, reason, description, ...more });
}

/** A parameter that must be there is not. */
export function missing(parameter: string) {
  return refuse("invalid_request", `${parameter}_missing`, `${parameter} is missing.`);
}

/** A form or query that could not be read. */
export function parameterRefusal(problem: FormProblem, maxBytes = 0): Refusal {
  const { reason } = problem;
  const isTooLarge = reason === "body_too_large";
  const description = isTooLarge
    ? `The body may have at most ${maxBytes} bytes.`
    : reason === "parameter_repeated"
      ? `The parameter ${quoteName(problem.name)} was sent more than once.`
      : "Send an application/x-www-form-urlencoded body in UTF-8.";
  return { error: "invalid_request", reason, description, status: isTooLarge ? 413 : 400 };
}

/** RFC 6749 §5.2 allows only printable ASCII without quote and backslash in a description; names need less. */
export function quoteName(text: string): string {
  return `'${text.replace(/[^\w.-]/g, "?").slice(0, 64)}'`;
}

const STATUS: { readonly [Code in OAuthErrorCode]?: number } = {
  invalid_client: 401,
  server_error: 500,
  temporarily_unavailable: 503,
};

/** The answer of /token, /register and /revoke to a request they refuse. */
export function oauthError(refusal: Refusal, context: OAuthContext, clientId = ""): Response {
  const { error, reason, description, status = STATUS[error] ?? 400, retryAfterSeconds = 5 } = refusal;
  // Not yet authenticated: only what can be no secret that was put into the wrong place.
  const isPublic = /^([0-9a-f]{32}|https:\/\/[^\s@?#]{1,200})$/.test(clientId);
  logRefusal(reason, context, isPublic ? clientId : undefined);
  return json(
    status,
    { error, error_description: description },
    {
      // RFC 6749 §5.2: the scheme the client may authenticate with.
      ...(error === "invalid_client" && { "WWW-Authenticate": 'Basic realm="microsoft-365-mcp"' }),
      ...(status === 503 && { "Retry-After": String(retryAfterSeconds) }),
    },
  );
}

/** The same for a person. Never a redirect: who sent this browser here is not known. */
export function refusalPage(title: string, refusal: Omit<Refusal, "error">, context: OAuthContext): Response {
  const { reason, description, status = 400 } = refusal;
  logRefusal(reason, context);
  const advice = `${description} Go back to the application and connect again.`;
  return errorPage(context.request, status, title, advice, context.requestId);
}

/** @param code a reason of ours, or the OAuth error that the client hears */
export function logRefusal(code: string, { log, url }: OAuthContext, clientId?: string): void {
  log({ level: "INFO", message: "OAuth request refused", code, context: url.pathname, metadata: { clientId } });
}
