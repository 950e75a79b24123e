import { randomSecret } from "../crypto/random.ts";
import { cookieName, readCookie, setCookie } from "../http/cookies.ts";
import { redirect } from "../http/responses.ts";
import { sealApprovalForm } from "./approval-form.ts";
import { approvalPage } from "./approval-page.ts";
import { isRemembered } from "./approvals.ts";
import { type AuthorizationProblem, authorizationResponse, readAuthorizationRequest } from "./authorization-request.ts";
import { cookieKeys, isHttps, type OAuthContext } from "./context.ts";
import { errorPage } from "./page.ts";

/** Ties a form to the browser it was shown in. */
export const FORM_COOKIE = "m365-form";
/** Longer than a form lives, so that tabs opened one after the other share the cookie. */
const FORM_COOKIE_SECONDS = 3600;

/** GET /authorize. Shows a page and stores nothing: the request waits, sealed, in the form. */
export async function showApproval(context: OAuthContext): Promise<Response> {
  const checked = await readAuthorizationRequest(context);
  if (!checked.ok) return refuseAuthorization(checked.error, context);
  const { client, request } = checked.value;

  const formCookie = readFormCookie(context) ?? randomSecret();
  const form = await sealApprovalForm(await cookieKeys(context.config), request, formCookie, context.now);
  return approvalPage({
    client,
    request,
    form,
    isRemembered: await isRemembered(request, context),
    requestId: context.requestId,
    cookies: [setCookie(FORM_COOKIE, formCookie, FORM_COOKIE_SECONDS, isHttps(context))],
  });
}

/** One random value per browser, whatever number of tabs. */
export function readFormCookie(context: OAuthContext): string | undefined {
  const value = readCookie(context.request.headers.get("Cookie"), cookieName(FORM_COOKIE, isHttps(context)));
  return value !== undefined && /^[A-Za-z0-9_-]{43}$/.test(value) ? value : undefined;
}

function refuseAuthorization(problem: AuthorizationProblem, context: OAuthContext): Response {
  const code = problem.kind === "page" ? problem.reason : problem.error;
  context.log({ level: "INFO", message: "OAuth request refused", code, context: "/authorize" });
  if (problem.kind === "page") {
    return errorPage(context.request, 400, "This sign-in link does not work", problem.description, context.requestId);
  }
  return redirect(
    302,
    authorizationResponse(problem.redirectUri, problem.state, context.origin, {
      error: problem.error,
      error_description: problem.description,
    }),
  );
}
