import { err, ok, type Result } from "../core/result.ts";
import { type Parameters, readParameters } from "../http/parameters.ts";
import type { Client } from "./client.ts";
import type { OAuthContext } from "./context.ts";
import { type OAuthErrorCode, parameterRefusal, type Refusal, refuse } from "./errors.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { isCodeChallenge } from "./pkce.ts";
import { matchRedirectUri, type RegisteredRedirectUri } from "./redirect-uri.ts";
import { checkResource } from "./resource.ts";
import { presetScope, readScope } from "./scope.ts";

/** Room for any client's bookkeeping; the whole URL has to pass a browser. */
const MAX_STATE_LENGTH = 4096;

/** A refusal that the client hears of, or a person where there is no proven client to answer (RFC 6749 §4.1.2.1). */
export interface AuthorizationRefusal extends Refusal {
  readonly answerTo?: { readonly redirectUri: RegisteredRedirectUri; readonly state: string | undefined };
}

export interface CheckedRequest {
  readonly client: Client;
  readonly request: AuthorizationRequest;
}

/** GET /authorize: RFC 6749 §4.1.1 with RFC 7636 §4.3 and RFC 8707 §2, checks in the order that errors may be sent. */
export async function readAuthorizationRequest(
  context: OAuthContext,
): Promise<Result<CheckedRequest, AuthorizationRefusal>> {
  const read = readParameters(context.url.searchParams);
  const parameters = read.ok ? read.value : read.error.single;
  const proven = await proveClient(parameters, context);
  if (!proven.ok) return proven;
  const { client, redirectUri } = proven.value;
  const { state = "" } = parameters;
  // RFC 6749 §3.1: request parameters must not be included more than once.
  const checked = read.ok ? checkParameters(parameters, client, context) : err(parameterRefusal(read.error));
  if (!checked.ok) {
    const returned = state.length > MAX_STATE_LENGTH ? undefined : parameters.state;
    return err({ ...checked.error, answerTo: { redirectUri, state: returned } });
  }
  const request = { clientId: client.clientId, redirectUri, ...checked.value, state: parameters.state };
  return ok({ client, request });
}

function checkParameters(
  parameters: Parameters,
  client: Client,
  { origin, catalogueScopes }: OAuthContext,
): Result<Pick<AuthorizationRequest, "scopes" | "resource" | "codeChallenge">, Refusal> {
  const no = (error: OAuthErrorCode, description: string) => refuse(error, error, description);
  const { state = "", response_type, response_mode = "query", code_challenge = "", resource = origin } = parameters;
  if (state.length > MAX_STATE_LENGTH) {
    return no("invalid_request", `state may have at most ${MAX_STATE_LENGTH} characters.`);
  }
  if (response_type !== "code") {
    return no(response_type ? "unsupported_response_type" : "invalid_request", "Send response_type=code.");
  }
  if (response_mode !== "query") return no("invalid_request", "Only response_mode=query is supported.");
  if (!client.grantTypes.includes("authorization_code")) {
    return no("unauthorized_client", "This client is not registered for authorization_code.");
  }
  // OAuth 2.1 §4.1.1 with RFC 7636 §4.3: an absent method means plain, which is refused.
  if (!isCodeChallenge(code_challenge) || parameters.code_challenge_method !== "S256") {
    return no("invalid_request", "Send a code_challenge of 43 characters and code_challenge_method=S256.");
  }
  const foreign = checkResource(resource, origin);
  if (!foreign.ok) return foreign;
  const scopes = readScope(parameters.scope ?? presetScope(parameters.scope_preset), catalogueScopes);
  if (scopes?.length === 0) return no("invalid_scope", "No such scope; see scopes_supported.");
  return ok({ scopes: scopes ?? catalogueScopes, resource, codeChallenge: code_challenge });
}

async function proveClient(
  parameters: Parameters,
  context: OAuthContext,
): Promise<Result<{ client: Client; redirectUri: RegisteredRedirectUri }, Refusal>> {
  const { client_id, redirect_uri } = parameters;
  if (client_id === undefined) {
    return refuse("invalid_request", "client_id_missing", "The request must name one client.");
  }
  if (context.url.searchParams.getAll("redirect_uri").length > 1) {
    return refuse("invalid_request", "redirect_uri_repeated", "The request must name one address to return to.");
  }
  const client = await context.clients.find(client_id);
  if (client === undefined) return refuse("invalid_request", "client_unknown", UNKNOWN_CLIENT);
  const redirectUri = matchRedirectUri(client.redirectUris, redirect_uri);
  if (redirectUri !== undefined) return ok({ client, redirectUri });
  const description = "This application has not registered the address to return to.";
  return refuse("invalid_request", "redirect_uri_unregistered", description);
}

export const UNKNOWN_CLIENT =
  "This application is not registered here. If it just was, wait a minute; otherwise remove it there and add it anew.";

/** RFC 6749 §4.1.2 and §4.1.2.1: the answer to the client, with `iss` on success and on errors (RFC 9207 §2). */
export function authorizationResponse(
  { redirectUri, state }: { readonly redirectUri: string; readonly state: string | undefined },
  issuer: string,
  answer: { readonly code: string } | { readonly error: OAuthErrorCode; readonly error_description: string },
): string {
  const ours = new URLSearchParams({ ...answer, ...(state !== undefined && { state }), iss: issuer });
  const [address, query = ""] = redirectUri.split(/\?(.*)/);
  // RFC 6749 §3.1.2: its own query is retained, to the letter, but for what would stand beside one of ours.
  const isOwn = (pair: string) => [...new URLSearchParams(pair)].every(([name]) => !ours.has(name));
  const own = query.split("&").filter(isOwn).join("&");
  return `${address}?${own && `${own}&`}${ours}`;
}
