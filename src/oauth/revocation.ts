import { sha256 } from "../crypto/hash.ts";
import { readForm } from "../http/parameters.ts";
import { authenticateClient } from "./client-authentication.ts";
import { about, type OAuthContext, readTokenOf } from "./context.ts";
import { missing, oauthError, parameterRefusal } from "./errors.ts";
import { MAX_TOKEN_REQUEST_BYTES } from "./token.ts";

/**
 * POST /revoke (RFC 7009 §2). 200 whatever the token was, once the client is known (§2.2); a token of another client
 * is left alone. Entra cannot revoke one refresh token: ours ends and Microsoft's is deleted.
 */
export async function revoke(context: OAuthContext): Promise<Response> {
  const form = await readForm(context.request, MAX_TOKEN_REQUEST_BYTES);
  if (!form.ok) return oauthError(parameterRefusal(form.error, MAX_TOKEN_REQUEST_BYTES), context);
  const { token, client_id } = form.value;
  const client = await authenticateClient(form.value, context);
  // RFC 7009 §2.2: a token that is not known is as good as revoked.
  const done = new Response(null, { status: 200 });
  if (!client.ok) return client.error.error === "invalid_grant" ? done : oauthError(client.error, context, client_id);
  if (token === undefined) return oauthError(missing("token").error, context);
  // The hint of §2.1 is not needed: a token says itself what it is.
  const read = await readTokenOf(["m365r", "m365a"], token, context);
  if (read.ok) {
    const { gid } = read.value;
    await context.grants(gid).revokeToken({
      ...about(gid, context),
      isRefresh: token.startsWith("m365r"),
      hash: await sha256(token),
      clientId: client.value.clientId,
    });
  }
  return done;
}
