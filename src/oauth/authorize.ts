import { randomSecret } from "../crypto/random.ts";
import { redirect } from "../http/responses.ts";
import { sealApprovalForm } from "./approval-form.ts";
import { approvalPage } from "./approval-page.ts";
import { isRemembered } from "./approvals.ts";
import { authorizationResponse, readAuthorizationRequest } from "./authorization-request.ts";
import { cookieKeys, getCookie, makeCookie, type OAuthContext } from "./context.ts";
import { logRefusal, refusalPage } from "./errors.ts";

/** Ties a form to the browser it was shown in. */
const FORM_COOKIE = "m365-form";
/** Longer than a form lives, so that tabs opened one after the other share the cookie. */
const FORM_COOKIE_SECONDS = 3600;

/** GET /authorize. Shows a page and stores nothing: the request waits, sealed, in the form. */
export async function showApproval(context: OAuthContext): Promise<Response> {
  const checked = await readAuthorizationRequest(context);
  if (!checked.ok) {
    const { answerTo, error, description } = checked.error;
    if (answerTo === undefined) return refusalPage("This sign-in link does not work", checked.error, context);
    logRefusal(error, context);
    const answer = { error, error_description: description };
    return redirect(302, authorizationResponse(answerTo, context.origin, answer));
  }
  const { client, request } = checked.value;
  const formCookie = readFormCookie(context) ?? randomSecret();
  return approvalPage({
    client,
    request,
    form: await sealApprovalForm(await cookieKeys(context), request, formCookie, context.now),
    isRemembered: await isRemembered(request, context),
    requestId: context.requestId,
    cookies: [makeCookie(FORM_COOKIE, formCookie, FORM_COOKIE_SECONDS, context)],
  });
}

/** One random value per browser, whatever number of tabs. */
export function readFormCookie(context: OAuthContext): string | undefined {
  return /^[\w-]{43}$/.exec(getCookie(FORM_COOKIE, context))?.[0];
}
