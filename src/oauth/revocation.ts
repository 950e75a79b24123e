import { readToken } from "../crypto/token.ts";
import { readForm } from "../http/parameters.ts";
import { authenticateClient } from "./client-authentication.ts";
import { type OAuthContext, tokenKeys, trace } from "./context.ts";
import { formError, oauthError } from "./errors.ts";
import { MAX_TOKEN_REQUEST_BYTES } from "./token.ts";

/**
 * POST /revoke (RFC 7009 §2). 200 whatever the token was, once the client is known (§2.2); a token of another client
 * is left alone. Entra cannot revoke one refresh token: ours ends and Microsoft's is deleted.
 */
export async function revoke(context: OAuthContext): Promise<Response> {
  const form = await readForm(context.request, MAX_TOKEN_REQUEST_BYTES);
  if (!form.ok) return oauthError(formError(form.error, MAX_TOKEN_REQUEST_BYTES), context);
  const client = await authenticateClient(form.value, context);
  if (!client.ok && client.error.error === "invalid_grant") return DONE();
  if (!client.ok) return oauthError(client.error, context, form.value.client_id);
  const text = form.value.token;
  if (text === undefined) {
    return oauthError({ error: "invalid_request", reason: "token_missing", description: "token is missing." }, context);
  }
  const keys = await tokenKeys(context.config);
  // The hint of §2.1 is not needed: a token says itself what it is.
  for (const kind of ["m365r", "m365a"] as const) {
    const token = await readToken(keys, kind, text, context.now);
    if (!token.ok) continue;
    const { gid } = token.value;
    await context.grants(gid).revokeToken({ trace: trace(context), gid, token: text, clientId: client.value.clientId });
  }
  return DONE();
}

/** RFC 7009 §2.2: a token that is not known is as good as revoked. */
const DONE = () => new Response(null, { status: 200 });
