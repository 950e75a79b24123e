import { err, ok, type Result } from "../core/result.ts";
import { readToken, TOKEN_LENGTH } from "../crypto/token.ts";
import { type Parameters, readForm } from "../http/parameters.ts";
import { json } from "../http/responses.ts";
import type { Client } from "./client.ts";
import { authenticateClient } from "./client-authentication.ts";
import { type OAuthContext, tokenKeys, trace } from "./context.ts";
import { formError, type OAuthError, oauthError } from "./errors.ts";
import type { CodeProblem } from "./grant/code.ts";
import type { Authorization } from "./grant/grant.ts";
import type { RefreshProblem } from "./grant/refresh.ts";
import type { MicrosoftProblem, TokenAnswer } from "./grants.ts";
import { isCodeVerifier } from "./pkce.ts";
import { isOurResource } from "./resource.ts";
import { readScope } from "./scope.ts";
import { UserIndex } from "./user-index.ts";

/** A token request is a handful of short parameters. */
export const MAX_TOKEN_REQUEST_BYTES = 16 * 1024;

type GrantProblem = CodeProblem | RefreshProblem | MicrosoftProblem;
type Issued = Extract<TokenAnswer<never>, { kind: "issued" }>;

/** POST /token (RFC 6749 §3.2): one look at the client, one call to the grant's object. */
export async function token(context: OAuthContext): Promise<Response> {
  const form = await readForm(context.request, MAX_TOKEN_REQUEST_BYTES);
  if (!form.ok) return oauthError(formError(form.error, MAX_TOKEN_REQUEST_BYTES), context);
  const exchange = chooseExchange(form.value.grant_type);
  if (!exchange.ok) return oauthError(exchange.error, context);
  const client = await authenticateClient(form.value, context);
  if (!client.ok) return oauthError(client.error, context, form.value.client_id);
  const issued = await exchange.value(form.value, client.value, context);
  if (!issued.ok) return oauthError(issued.error, context, client.value.clientId);
  return tokenResponse(issued.value);
}

type Exchange = (parameters: Parameters, client: Client, context: OAuthContext) => Promise<Result<Issued, OAuthError>>;

function chooseExchange(grantType: string | undefined): Result<Exchange, OAuthError> {
  switch (grantType) {
    case "authorization_code":
      return ok(redeem);
    case "refresh_token":
      return ok(refresh);
    case undefined:
      return refuse("invalid_request", "grant_type_missing", "grant_type is missing.");
    default:
      return refuse(
        "unsupported_grant_type",
        "grant_type_unsupported",
        "Only authorization_code and refresh_token are supported.",
      );
  }
}

/** RFC 6749 §4.1.3 with RFC 7636 §4.5. */
const redeem: Exchange = async (parameters, client, context) => {
  const text = parameters.code;
  const codeVerifier = parameters.code_verifier;
  if (text === undefined) return refuse("invalid_request", "code_missing", "code is missing.");
  if (codeVerifier === undefined) {
    return refuse("invalid_request", "verifier_missing", "code_verifier is missing; PKCE is required.");
  }
  const target = checkResource(parameters, context);
  if (!target.ok) return target;
  const code = await readToken(await tokenKeys(context.config), "m365c", text.slice(0, TOKEN_LENGTH + 1), context.now);
  if (!code.ok) return refuse("invalid_grant", code.error, BAD_CODE);
  const answer = await context.grants(code.value.gid).redeemCode({
    trace: trace(context),
    gid: code.value.gid,
    origin: context.origin,
    code: code.value.text,
    clientId: client.clientId,
    redirectUri: parameters.redirect_uri,
    // A verifier that cannot be one matches no challenge; the attempt is counted all the same.
    codeVerifier: isCodeVerifier(codeVerifier) ? codeVerifier : "",
  });
  if (answer.kind === "refused") return err(grantError(answer.reason, answer.retryAfterSeconds));
  context.waitUntil(afterRedemption(code.value.gid, answer.authorization, client, context));
  return ok(answer);
};

/** Not the client's business, so it need not wait: older grants of it end, and its registration lives on. */
async function afterRedemption(
  gid: string,
  authorization: Authorization,
  client: Client,
  context: OAuthContext,
): Promise<void> {
  const index = new UserIndex(context.registrations, await tokenKeys(context.config), trace(context));
  // First what the operator's revocation depends on; a registration that cannot be touched today is touched tomorrow.
  await index.add(gid, authorization, context.grants);
  await context.clients.touch(client, context.now);
}

/** RFC 6749 §6. */
const refresh: Exchange = async (parameters, client, context) => {
  const text = parameters.refresh_token;
  if (text === undefined) return refuse("invalid_request", "refresh_token_missing", "refresh_token is missing.");
  if (!client.grantTypes.includes("refresh_token")) {
    return refuse("unauthorized_client", "grant_type_unregistered", "This client is not registered for refresh_token.");
  }
  const target = checkResource(parameters, context);
  if (!target.ok) return target;
  const scopes = readScope(parameters.scope, context.catalogueScopes);
  if (!scopes.ok) return refuse("invalid_scope", "scope_unknown", WIDER_SCOPE);
  const keys = await tokenKeys(context.config);
  const refreshToken = await readToken(keys, "m365r", text.slice(0, TOKEN_LENGTH + 1), context.now);
  if (!refreshToken.ok) return refuse("invalid_grant", refreshToken.error, BAD_REFRESH);
  const answer = await context.grants(refreshToken.value.gid).refreshTokens({
    trace: trace(context),
    gid: refreshToken.value.gid,
    origin: context.origin,
    refreshToken: refreshToken.value.text,
    clientId: client.clientId,
    scopes: scopes.value,
  });
  if (answer.kind === "refused") return err(grantError(answer.reason, answer.retryAfterSeconds));
  // A key that is being replaced names people too: whoever goes on is entered anew.
  if (keys[1]) {
    const index = new UserIndex(context.registrations, keys, trace(context));
    context.waitUntil(index.put(refreshToken.value.gid, answer.authorization));
  }
  return ok(answer);
};

/** RFC 8707 §2.2: may be left out; every spelling of ours is the one audience. */
function checkResource(parameters: Parameters, context: OAuthContext): Result<undefined, OAuthError> {
  const { resource } = parameters;
  if (resource === undefined || isOurResource(resource, context.origin)) return ok(undefined);
  return refuse("invalid_target", "resource_foreign", `This server issues tokens for ${context.origin} only.`);
}

const BAD_CODE = "The code is unknown, expired, already used, or not for this client. Start the sign-in again.";
const BAD_REFRESH = "The refresh token is unknown, expired or revoked. Start the sign-in again.";
const WIDER_SCOPE = "scope may only name what the grant holds; ask for more at /authorize.";

/** RFC 6749 §5.2: the many reasons have few names on the wire. */
function grantError(reason: GrantProblem, retryAfterSeconds = 5): OAuthError {
  switch (reason) {
    case "code_unknown":
    case "code_expired":
    case "code_replayed":
    case "code_burned":
    case "client_mismatch":
      return { error: "invalid_grant", reason, description: BAD_CODE };
    case "redirect_mismatch":
      return { error: "invalid_grant", reason, description: "redirect_uri differs from the one of the request." };
    case "verifier_mismatch":
      return { error: "invalid_grant", reason, description: "code_verifier does not match the code_challenge." };
    case "resource_mismatch":
      return { error: "invalid_target", reason, description: "The grant is for another resource." };
    case "refresh_unknown":
    case "refresh_reused":
      return { error: "invalid_grant", reason, description: BAD_REFRESH };
    case "scope_widened":
      return { error: "invalid_scope", reason, description: WIDER_SCOPE };
    case "microsoft_ended":
      return { error: "invalid_grant", reason, description: "Microsoft ended this sign-in. Start the sign-in again." };
    case "microsoft_unavailable":
      return {
        error: "temporarily_unavailable",
        reason,
        description: "Microsoft does not answer just now; nothing was changed, try again.",
        retryAfterSeconds,
      };
  }
}

/** RFC 6749 §5.1. */
function tokenResponse(issued: Issued): Response {
  return json(
    200,
    {
      access_token: issued.accessToken,
      token_type: "Bearer",
      expires_in: issued.expiresInSeconds,
      refresh_token: issued.refreshToken,
      scope: issued.scopes.join(" "),
    },
    { "Cache-Control": "no-store", Pragma: "no-cache" },
  );
}

function refuse(
  error: OAuthError["error"],
  reason: string,
  description: string,
): { readonly ok: false; readonly error: OAuthError } {
  return err({ error, reason, description });
}
