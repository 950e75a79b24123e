import { ok, type Result } from "../core/result.ts";
import { sha256 } from "../crypto/hash.ts";
import { type Parameters, readForm } from "../http/parameters.ts";
import { json } from "../http/responses.ts";
import type { Client } from "./client.ts";
import { authenticateClient, UNKNOWN_GRANT } from "./client-authentication.ts";
import { about, type OAuthContext, readTokenOf } from "./context.ts";
import { missing, type OAuthErrorCode, oauthError, parameterRefusal, type Refusal, refuse } from "./errors.ts";
import type { CodeProblem } from "./grant/code.ts";
import type { RefreshProblem } from "./grant/refresh.ts";
import type { MicrosoftProblem, TokenResponse } from "./grants.ts";
import { computeChallenge, isCodeVerifier } from "./pkce.ts";
import { checkResource } from "./resource.ts";
import { readScope } from "./scope.ts";
import { addGrant, renewEntry } from "./user-index.ts";

/** A token request is a handful of short parameters. */
export const MAX_TOKEN_REQUEST_BYTES = 16 * 1024;

/** POST /token (RFC 6749 §3.2): one look at the client, one call to the grant's object. */
export async function token(context: OAuthContext): Promise<Response> {
  const form = await readForm(context.request, MAX_TOKEN_REQUEST_BYTES);
  if (!form.ok) return oauthError(parameterRefusal(form.error, MAX_TOKEN_REQUEST_BYTES), context);
  const { grant_type, client_id } = form.value;
  if (grant_type === undefined) return oauthError(missing("grant_type").error, context);
  if (grant_type !== "authorization_code" && grant_type !== "refresh_token") {
    const description = "Only authorization_code and refresh_token are supported.";
    return oauthError(refuse("unsupported_grant_type", "grant_type_unsupported", description).error, context);
  }
  const client = await authenticateClient(form.value, context);
  if (!client.ok) return oauthError(client.error, context, client_id);
  const response = await exchange(form.value, client.value, context);
  if (!response.ok) return oauthError(response.error, context, client.value.clientId);
  // RFC 6749 §5.1; `Cache-Control: no-store` is on every answer of an endpoint.
  return json(200, response.value, { Pragma: "no-cache" });
}

/** RFC 6749 §4.1.3 with RFC 7636 §4.5, and RFC 6749 §6. */
async function exchange(
  form: Parameters,
  client: Client,
  context: OAuthContext,
): Promise<Result<TokenResponse, Refusal>> {
  const isRefresh = form.grant_type === "refresh_token";
  const { code_verifier: codeVerifier = "", redirect_uri: redirectUri } = form;
  const parameter = isRefresh ? "refresh_token" : "code";
  const text = form[parameter];
  if (text === undefined) return missing(parameter);
  if (!isRefresh && codeVerifier === "") return missing("code_verifier");
  if (isRefresh && !client.grantTypes.includes("refresh_token")) {
    return refuse("unauthorized_client", "grant_type_unregistered", "This client is not registered for refresh_token.");
  }
  const resource = checkResource(form.resource, context.origin);
  if (!resource.ok) return resource;
  const scopes = readScope(isRefresh ? form.scope : undefined, context.catalogueScopes);
  if (scopes?.length === 0) return refuseGrant("scope_widened");
  const read = await readTokenOf([isRefresh ? "m365r" : "m365c"], text, context);
  if (!read.ok) return refuse("invalid_grant", read.error, UNKNOWN_GRANT);

  const { gid } = read.value;
  const grant = context.grants(gid);
  const asking = { ...about(gid, context), clientId: client.clientId };
  const answer = isRefresh
    ? await grant.refreshTokens({ ...asking, refreshToken: text, scopes })
    : await grant.redeemCode({
        ...asking,
        codeHash: await sha256(text),
        redirectUri,
        // A verifier that cannot be one matches no challenge; the attempt is counted all the same.
        computedChallenge: isCodeVerifier(codeVerifier) ? await computeChallenge(codeVerifier) : "",
      });
  if (answer.kind === "refused") return refuseGrant(answer.reason, answer.retryAfterSeconds);
  // Not the client's business, so it need not wait; and neither needs the other.
  const index = isRefresh ? renewEntry : addGrant;
  context.waitUntil(index(gid, answer.authorization, context));
  context.waitUntil(context.clients.touch(client, context.now));
  return ok(answer.response);
}

type GrantProblem = CodeProblem | RefreshProblem | MicrosoftProblem;

/** RFC 6749 §5.2: the many reasons have few names on the wire; what is not here is `invalid_grant`. */
const GRANT_ERRORS: { readonly [Problem in GrantProblem]?: readonly [OAuthErrorCode, string] } = {
  redirect_mismatch: ["invalid_grant", "redirect_uri differs from the one of the request."],
  verifier_mismatch: ["invalid_grant", "code_verifier does not match the code_challenge."],
  resource_mismatch: ["invalid_target", "The grant is for another resource."],
  scope_widened: ["invalid_scope", "scope exceeds the grant; ask for more at /authorize."],
  microsoft_ended: ["invalid_grant", "Microsoft ended this sign-in. Start the sign-in again."],
  microsoft_unavailable: [
    "temporarily_unavailable",
    "Microsoft does not answer just now; nothing was changed, try again.",
  ],
};

function refuseGrant(reason: GrantProblem, retryAfterSeconds?: number) {
  const [error, description] = GRANT_ERRORS[reason] ?? ["invalid_grant", UNKNOWN_GRANT];
  return refuse(error, reason, description, { retryAfterSeconds });
}
