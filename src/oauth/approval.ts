import { sha256 } from "../crypto/hash.ts";
import { setCookie } from "../http/cookies.ts";
import { html } from "../http/html.ts";
import { readForm } from "../http/parameters.ts";
import { redirect } from "../http/responses.ts";
import { type ApprovalForm, openApprovalForm } from "./approval-form.ts";
import { approvalPage, redirectHost } from "./approval-page.ts";
import { rememberApproval } from "./approvals.ts";
import { authorizationResponse } from "./authorization-request.ts";
import { readFormCookie } from "./authorize.ts";
import { cookieKeys, isHttps, type OAuthContext, trace } from "./context.ts";
import { LOGIN_LIFETIME_SECONDS } from "./grant/grant.ts";
import type { LoginBegun } from "./grants.ts";
import { errorPage, page } from "./page.ts";

/** A sealed request with the longest redirect URI and state, encoded. */
export const MAX_APPROVAL_BYTES = 64 * 1024;

/** The person's answer: POST /authorize. */
export async function decideApproval(context: OAuthContext): Promise<Response> {
  if (!isOwnForm(context)) return refuse(context, 403, "foreign_origin", "This form was sent from another site.");
  const parameters = await readForm(context.request, MAX_APPROVAL_BYTES);
  if (!parameters.ok) {
    const status = parameters.error.reason === "body_too_large" ? 413 : 400;
    return refuse(context, status, parameters.error.reason, "The form could not be read.");
  }
  const formCookie = readFormCookie(context);
  const box = parameters.value.form;
  if (formCookie === undefined || box === undefined) {
    return refuse(context, 403, "form_cookie_missing", "This form does not belong to this browser.");
  }
  const form = await openApprovalForm(await cookieKeys(context.config), box, formCookie, context.now);
  if (!form.ok && form.error === "form_expired") {
    return refuse(context, 400, form.error, "This page was open for more than ten minutes and has expired.");
  }
  if (!form.ok) return refuse(context, 403, form.error, "This form does not belong to this browser.");

  switch (parameters.value.decision) {
    case "approve":
      return approve(form.value, formCookie, context);
    case "review":
      return review(form.value, box, context);
    case "deny":
      return deny(form.value, context);
    default:
      return refuse(context, 400, "decision_missing", "The form says neither approve nor deny.");
  }
}

/**
 * Only a form of our own page counts. `ALLOWED_ORIGINS` and the leniency for loopback are for MCP clients, not for this:
 * the origin must be exactly the one that served the page.
 */
function isOwnForm(context: OAuthContext): boolean {
  const { headers } = context.request;
  const site = headers.get("Sec-Fetch-Site");
  return headers.get("Origin") === context.url.origin && (site === null || site === "same-origin");
}

/** The full page in place of the short one; the form is the same. */
async function review({ request }: ApprovalForm, form: string, context: OAuthContext): Promise<Response> {
  const client = await context.clients.find(request.clientId);
  if (client === undefined)
    return refuse(context, 400, "client_unknown", "The application is not registered any more.");
  const { requestId } = context;
  return approvalPage({ client, request, form, isRemembered: false, requestId, cookies: [] });
}

async function approve(form: ApprovalForm, formCookie: string, context: OAuthContext): Promise<Response> {
  const begun = await context.grants(form.gid).beginLogin({
    trace: trace(context),
    gid: form.gid,
    origin: context.origin,
    request: form.request,
    formExpiresAt: form.expiresAt,
    formCookieHash: await sha256(formCookie),
    accessIdentity: context.accessIdentity,
  });
  if (begun.kind === "started") logDecision("OAuth grant approved", form, context);
  return leadToEntra(begun, form, context);
}

async function leadToEntra(begun: LoginBegun, form: ApprovalForm, context: OAuthContext): Promise<Response> {
  if (begun.kind === "used") {
    return refuseUsed(context);
  }
  const cookie = setCookie(loginCookieName(form.gid), begun.loginCookie, LOGIN_LIFETIME_SECONDS, isHttps(context));
  if (begun.kind === "started") {
    const response = redirect(302, begun.entraUrl, { "Set-Cookie": cookie });
    response.headers.append("Set-Cookie", await rememberApproval(form.request, context));
    return response;
  }
  // A double click drops the first answer; this page leads to where that one would have.
  return page({
    status: 409,
    title: "You already approved this",
    body: html`<p>Sign in at Microsoft to go on.</p>
<p class="actions"><a class="button" href="${begun.entraUrl}">Continue to Microsoft</a></p>`,
    requestId: context.requestId,
    cookies: [cookie],
  });
}

/** One login, one cookie: parallel sign-ins in one browser do not disturb each other. */
export function loginCookieName(gid: string): string {
  return `m365-login-${gid.slice(0, 8)}`;
}

async function deny(form: ApprovalForm, context: OAuthContext): Promise<Response> {
  // Told no, the client must not get a code from an approval of the same form.
  if (await context.grants(form.gid).state()) return refuseUsed(context);
  logDecision("OAuth grant denied", form, context);
  const answer = { error: "access_denied", error_description: "The request was denied." } as const;
  return redirect(302, authorizationResponse(form.request.redirectUri, form.request.state, context.origin, answer));
}

function refuseUsed(context: OAuthContext): Response {
  return refuse(context, 409, "form_used", "This form was already used.");
}

function logDecision(
  message: "OAuth grant approved" | "OAuth grant denied",
  form: ApprovalForm,
  context: OAuthContext,
) {
  const { clientId, redirectUri, scopes } = form.request;
  const metadata = {
    clientId,
    redirectHost: redirectHost(redirectUri),
    scopes,
    accessIdentity: context.accessIdentity,
  };
  context.log({ level: "INFO", message, metadata });
}

function refuse(context: OAuthContext, status: number, reason: string, description: string): Response {
  context.log({ level: "INFO", message: "OAuth request refused", code: reason, context: "/authorize" });
  const advice = `${description} Go back to the application and connect again.`;
  return errorPage(context.request, status, "Nothing was approved", advice, context.requestId);
}
