import type { FormProblem } from "../http/parameters.ts";
import { json } from "../http/responses.ts";
import type { OAuthContext } from "./context.ts";

/** RFC 6749 §5.2, RFC 7591 §3.2.2, RFC 8707 §2, and §4.1.2.1 for what passes by itself. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_redirect_uri"
  | "invalid_client_metadata"
  | "temporarily_unavailable"
  | "server_error";

/** What goes over the wire; `reason` goes to the log alone. */
export interface OAuthError {
  readonly error: OAuthErrorCode;
  readonly description: string;
  readonly reason: string;
  readonly status?: number;
  readonly retryAfterSeconds?: number;
}

/** The answer of /token, /register and /revoke to a request they refuse. */
export function oauthError(problem: OAuthError, context: OAuthContext, clientId?: string): Response {
  context.log({
    level: "INFO",
    message: "OAuth request refused",
    code: problem.reason,
    context: context.url.pathname,
    // Not yet authenticated: only what can be no secret that was put into the wrong place.
    metadata: { clientId: /^([0-9a-f]{32}|https:\/\/[^\s@?#]{1,200})$/.test(clientId ?? "") ? clientId : undefined },
  });
  const headers: Record<string, string> = {};
  // RFC 6749 §5.2: the scheme the client may authenticate with.
  if (problem.error === "invalid_client")
    headers["WWW-Authenticate"] = 'Basic realm="microsoft-365-mcp", charset="UTF-8"';
  if (problem.retryAfterSeconds !== undefined) headers["Retry-After"] = String(problem.retryAfterSeconds);
  return json(problem.status ?? defaultStatus(problem.error), wireBody(problem), headers);
}

function wireBody(problem: OAuthError) {
  return { error: problem.error, error_description: problem.description };
}

function defaultStatus(error: OAuthErrorCode): number {
  switch (error) {
    case "invalid_client":
      return 401;
    case "temporarily_unavailable":
      return 503;
    case "server_error":
      return 500;
    default:
      return 400;
  }
}

/** A form that could not be read. */
export function formError(problem: FormProblem, maxBytes: number): OAuthError {
  switch (problem.reason) {
    case "parameter_repeated":
      return refuseForm(
        problem.reason,
        `The parameter ${quoteName(problem.name)} was sent more than once; send it once.`,
      );
    case "form_content_type":
      return refuseForm(problem.reason, "Send the parameters as application/x-www-form-urlencoded in the body.");
    case "form_malformed":
      return refuseForm(problem.reason, "The body is not UTF-8 text.");
    case "body_too_large":
      return { ...refuseForm(problem.reason, `The body may have at most ${maxBytes} bytes.`), status: 413 };
  }
}

function refuseForm(reason: string, description: string): OAuthError {
  return { error: "invalid_request", reason, description };
}

/** RFC 6749 §5.2 allows only printable ASCII without quote and backslash in a description. */
export function quoteName(text: string): string {
  return `'${text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "?").slice(0, 64)}'`;
}
