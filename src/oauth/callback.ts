import { sha256 } from "../crypto/hash.ts";
import { readParameters } from "../http/parameters.ts";
import { redirect } from "../http/responses.ts";
import { loginCookieName } from "./approval.ts";
import { authorizationResponse } from "./authorization-request.ts";
import { about, getCookie, makeCookie, type OAuthContext, readTokenOf } from "./context.ts";
import { refusalPage } from "./errors.ts";

/** Entra's codes are long; anything beyond this is not one. */
const MAX_ENTRA_CODE_LENGTH = 8192;

/** GET /callback: Entra sends the browser back (OpenID Connect Core §3.1.2.5). Ends at the client or on a page. */
export async function completeSignIn(context: OAuthContext): Promise<Response> {
  const read = readParameters(context.url.searchParams);
  if (!read.ok) return refuse(read.error.reason, context);
  const { state = "", code, error } = read.value;
  const token = await readTokenOf(["m365s"], state, context);
  if (!token.ok) return refuse(token.error, context);
  // A code or an error, and not both.
  if ((code === undefined) === (error === undefined) || (code ?? "").length > MAX_ENTRA_CODE_LENGTH) {
    return refuse("entra_answer_malformed", context);
  }
  const { gid } = token.value;
  const cookie = loginCookieName(gid);
  const completed = await context.grants(gid).completeLogin({
    ...about(gid, context),
    stateHash: await sha256(state),
    loginCookieHash: await sha256(getCookie(cookie, context)),
    accessIdentity: context.accessIdentity,
    code,
    error,
  });
  if (completed.kind === "refused") return refuse(completed.reason, context);
  return redirect(302, authorizationResponse(completed.request, context.origin, completed.answer), {
    "Set-Cookie": makeCookie(cookie, "", 0, context),
  });
}

function refuse(reason: string, context: OAuthContext): Response {
  const status = reason === "access_identity_mismatch" ? 403 : 400;
  const description = "This sign-in is over, or belongs to another browser or person.";
  return refusalPage("Sign-in could not be completed", { reason, description, status }, context);
}
