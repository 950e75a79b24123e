import { readToken } from "../crypto/token.ts";
import { cookieName, readCookie, setCookie } from "../http/cookies.ts";
import { readParameters } from "../http/parameters.ts";
import { redirect } from "../http/responses.ts";
import { loginCookieName } from "./approval.ts";
import { authorizationResponse } from "./authorization-request.ts";
import { isHttps, type OAuthContext, tokenKeys, trace } from "./context.ts";
import type { LoginCompleted } from "./grants.ts";
import { errorPage } from "./page.ts";

/** Entra's codes are long; anything beyond this is not one. */
const MAX_ENTRA_CODE_LENGTH = 8192;

/** GET /callback: Entra sends the browser back (OpenID Connect Core §3.1.2.5). Ends at the client or on a page. */
export async function completeSignIn(context: OAuthContext): Promise<Response> {
  const read = readParameters(context.url.searchParams);
  if (!read.ok) return refuse(context, read.error.reason);
  const state = await readToken(await tokenKeys(context.config), "m365s", read.value.state ?? "", context.now);
  if (!state.ok) return refuse(context, state.error);
  const { gid } = state.value;
  const answer = readEntraAnswer(read.value);
  if (answer === undefined) return refuse(context, "entra_answer_malformed");

  const completed = await context.grants(gid).completeLogin({
    trace: trace(context),
    gid,
    origin: context.origin,
    state: state.value.text,
    loginCookie:
      readCookie(context.request.headers.get("Cookie"), cookieName(loginCookieName(gid), isHttps(context))) ?? "",
    accessIdentity: context.accessIdentity,
    answer,
  });
  if (completed.kind === "refused") return refuse(context, completed.reason);
  return redirect(302, clientLocation(completed, context.origin), {
    "Set-Cookie": setCookie(loginCookieName(gid), "", 0, isHttps(context)),
  });
}

function readEntraAnswer(parameters: { readonly [name: string]: string | undefined }) {
  const { code, error } = parameters;
  if (error !== undefined && code === undefined) return { error };
  if (code !== undefined && error === undefined && code.length <= MAX_ENTRA_CODE_LENGTH) return { code };
  return undefined;
}

function clientLocation(completed: Exclude<LoginCompleted, { kind: "refused" }>, issuer: string): string {
  const { redirectUri, state } = completed.request;
  const answer =
    completed.kind === "signed_in"
      ? { code: completed.code }
      : { error: completed.error, error_description: completed.description };
  return authorizationResponse(redirectUri, state, issuer, answer);
}

/** Never a redirect: who sent this browser here is not known. */
function refuse(context: OAuthContext, reason: string): Response {
  context.log({ level: "WARN", message: "OAuth request refused", code: reason, context: "/callback" });
  const status = reason === "access_identity_mismatch" ? 403 : 400;
  const description =
    "This sign-in has expired, was already completed, or was started in another browser or by somebody else. Go back to the application and connect again.";
  return errorPage(context.request, status, "Sign-in could not be completed", description, context.requestId);
}
