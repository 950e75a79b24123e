import { err, ok, type Result } from "../core/result.ts";
import { type Parameters, readParameters } from "../http/parameters.ts";
import type { Client } from "./client.ts";
import type { OAuthContext } from "./context.ts";
import { quoteName } from "./errors.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { isCodeChallenge } from "./pkce.ts";
import { matchRedirectUri, type RegisteredRedirectUri } from "./redirect-uri.ts";
import { isOurResource } from "./resource.ts";
import { presetScope, readScope } from "./scope.ts";

/** Room for any client's bookkeeping; the whole URL has to pass a browser. */
const MAX_STATE_LENGTH = 4096;

/** RFC 6749 §4.1.2.1 and RFC 8707 §2. */
export type AuthorizationErrorCode =
  | "invalid_request"
  | "unauthorized_client"
  | "access_denied"
  | "unsupported_response_type"
  | "invalid_scope"
  | "invalid_target"
  | "server_error"
  | "temporarily_unavailable";

/** Before client and redirect URI are proven: a page, never a redirect (RFC 6749 §4.1.2.1). */
export interface UnprovenProblem {
  readonly kind: "page";
  readonly reason: string;
  readonly description: string;
}

/** After that: the client hears of it. */
export interface RedirectableProblem {
  readonly kind: "redirect";
  readonly error: AuthorizationErrorCode;
  readonly description: string;
  readonly redirectUri: RegisteredRedirectUri;
  readonly state: string | undefined;
}

export type AuthorizationProblem = UnprovenProblem | RedirectableProblem;

export interface CheckedRequest {
  readonly client: Client;
  readonly request: AuthorizationRequest;
}

/** GET /authorize: RFC 6749 §4.1.1 with RFC 7636 §4.3 and RFC 8707 §2, checks in the order that errors may be sent. */
export async function readAuthorizationRequest(
  context: OAuthContext,
): Promise<Result<CheckedRequest, AuthorizationProblem>> {
  const read = readParameters(context.url.searchParams);
  const parameters = read.ok ? read.value : read.error.single;

  const proven = await proveClient(parameters, context);
  if (!proven.ok) return proven;
  const { client, redirectUri } = proven.value;

  const state = parameters.state;
  const isStateTooLong = (state ?? "").length > MAX_STATE_LENGTH;
  const refuse = (error: AuthorizationErrorCode, description: string) =>
    err({ kind: "redirect", error, description, redirectUri, state: isStateTooLong ? undefined : state } as const);

  // RFC 6749 §3.1: request parameters must not be included more than once.
  if (!read.ok)
    return refuse("invalid_request", `The parameter ${quoteName(read.error.name)} was sent more than once.`);
  if (isStateTooLong) return refuse("invalid_request", `state may have at most ${MAX_STATE_LENGTH} characters.`);
  const responseType = parameters.response_type;
  if (responseType === undefined)
    return refuse("invalid_request", "response_type is missing; send response_type=code.");
  if (responseType !== "code") return refuse("unsupported_response_type", "Only response_type=code is supported.");
  if ((parameters.response_mode ?? "query") !== "query") {
    return refuse("invalid_request", "Only response_mode=query is supported.");
  }
  if (!client.grantTypes.includes("authorization_code")) {
    return refuse("unauthorized_client", "This client is not registered for authorization_code.");
  }
  const codeChallenge = parameters.code_challenge;
  const pkceProblem = checkChallenge(codeChallenge, parameters.code_challenge_method);
  if (codeChallenge === undefined || pkceProblem !== undefined) {
    return refuse("invalid_request", pkceProblem ?? MISSING_CHALLENGE);
  }
  const resource = parameters.resource ?? context.origin;
  if (!isOurResource(resource, context.origin)) {
    return refuse("invalid_target", `This server issues tokens for ${context.origin} only.`);
  }
  const scopes = readScope(parameters.scope ?? presetScope(parameters.scope_preset), context.catalogueScopes);
  if (!scopes.ok) return refuse(scopes.error, `None of the requested scopes is offered; see scopes_supported.`);

  const request = {
    clientId: client.clientId,
    redirectUri,
    scopes: scopes.value ?? context.catalogueScopes,
    resource,
    codeChallenge,
    state,
  };
  return ok({ client, request });
}

const MISSING_CHALLENGE = "PKCE is required: send code_challenge and code_challenge_method=S256.";

/** OAuth 2.1 §4.1.1 with RFC 7636 §4.3: an absent method means plain, which is refused. */
function checkChallenge(challenge: string | undefined, method: string | undefined): string | undefined {
  if (challenge === undefined) return MISSING_CHALLENGE;
  if (method !== "S256") return "Only code_challenge_method=S256 is supported; plain is refused.";
  return isCodeChallenge(challenge) ? undefined : "code_challenge must be 43 base64url characters.";
}

async function proveClient(
  parameters: Parameters,
  context: OAuthContext,
): Promise<Result<{ client: Client; redirectUri: RegisteredRedirectUri }, UnprovenProblem>> {
  const page = (reason: string, description: string) => err({ kind: "page", reason, description } as const);
  const clientId = parameters.client_id;
  if (clientId === undefined) return page("client_id_missing", "The request names no client, or names it twice.");
  if (context.url.searchParams.getAll("redirect_uri").length > 1) {
    return page("redirect_uri_repeated", "The request names more than one redirect address.");
  }
  const client = await context.clients.find(clientId);
  if (client === undefined) {
    return page(
      "client_unknown",
      "The application that sent you here is not registered with this server. If it registered just now, wait a minute and try again; otherwise remove the connection in the application and add it anew.",
    );
  }
  const redirectUri = matchRedirectUri(client.redirectUris, parameters.redirect_uri);
  if (!redirectUri.ok) {
    return page(redirectUri.error, "The address to return to is not one that this application has registered.");
  }
  return ok({ client, redirectUri: redirectUri.value });
}

/** RFC 6749 §4.1.2 and §4.1.2.1: the answer to the client, with `iss` on success and on errors (RFC 9207 §2). */
export function authorizationResponse(
  redirectUri: string,
  state: string | undefined,
  issuer: string,
  answer: { readonly code: string } | { readonly error: AuthorizationErrorCode; readonly error_description: string },
): string {
  const url = new URL(redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  if (state !== undefined) url.searchParams.set("state", state);
  url.searchParams.set("iss", issuer);
  return url.href;
}
