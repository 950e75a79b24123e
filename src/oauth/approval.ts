import { sha256 } from "../crypto/hash.ts";
import { html } from "../http/html.ts";
import { readForm } from "../http/parameters.ts";
import { redirect } from "../http/responses.ts";
import { type ApprovalForm, openApprovalForm } from "./approval-form.ts";
import { approvalPage } from "./approval-page.ts";
import { rememberApproval } from "./approvals.ts";
import { authorizationResponse, UNKNOWN_CLIENT } from "./authorization-request.ts";
import { readFormCookie } from "./authorize.ts";
import { about, cookieKeys, makeCookie, type OAuthContext } from "./context.ts";
import { parameterRefusal, refusalPage } from "./errors.ts";
import { LOGIN_LIFETIME_SECONDS } from "./grant/grant.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { page } from "./page.ts";
import { redirectHost } from "./redirect-uri.ts";

/** A sealed request with the longest redirect URI and state, encoded. */
export const MAX_APPROVAL_BYTES = 64 * 1024;

/** The person's answer: POST /authorize. */
export async function decideApproval(context: OAuthContext): Promise<Response> {
  if (!isOwnForm(context)) return refuseForm("foreign_origin", "This form was sent from another site.", context, 403);
  const parameters = await readForm(context.request, MAX_APPROVAL_BYTES);
  if (!parameters.ok) {
    return refusalPage(NOTHING_APPROVED, parameterRefusal(parameters.error, MAX_APPROVAL_BYTES), context);
  }
  const { form: box = "", decision } = parameters.value;
  const formCookie = readFormCookie(context) ?? "";
  const form = await openApprovalForm(await cookieKeys(context), box, formCookie, context.now);
  if (!form.ok) {
    const status = form.error === "form_expired" ? 400 : 403;
    return refuseForm(form.error, "This page has expired, or belongs to another browser.", context, status);
  }
  if (decision === "approve") return approve(form.value, formCookie, context);
  if (decision === "review") return review(form.value, box, context);
  if (decision === "deny") return deny(form.value, context);
  return refuseForm("decision_missing", "The form holds no decision.", context);
}

const NOTHING_APPROVED = "Nothing was approved";

function refuseForm(reason: string, description: string, context: OAuthContext, status = 400): Response {
  return refusalPage(NOTHING_APPROVED, { reason, description, status }, context);
}

/**
 * Only a form of our own page counts. `ALLOWED_ORIGINS` and the leniency for loopback are for MCP clients, not for this:
 * the origin must be exactly the one that served the page.
 */
function isOwnForm({ request, url }: OAuthContext): boolean {
  const site = request.headers.get("Sec-Fetch-Site") ?? "same-origin";
  return request.headers.get("Origin") === url.origin && site === "same-origin";
}

/** The full page in place of the short one; the form is the same. */
async function review({ request }: ApprovalForm, form: string, context: OAuthContext): Promise<Response> {
  const client = await context.clients.find(request.clientId);
  if (client === undefined) return refuseForm("client_unknown", UNKNOWN_CLIENT, context);
  const { requestId } = context;
  return approvalPage({ client, request, form, isRemembered: false, requestId, cookies: [] });
}

async function approve(
  { gid, request, expiresAt }: ApprovalForm,
  formCookie: string,
  context: OAuthContext,
): Promise<Response> {
  const begun = await context.grants(gid).beginLogin({
    ...about(gid, context),
    request,
    formExpiresAt: expiresAt,
    formCookieHash: await sha256(formCookie),
    accessIdentity: context.accessIdentity,
  });
  if (begun === undefined) return refuseUsed(context);
  const { isFirst, entraUrl, loginCookie } = begun;
  const cookie = makeCookie(loginCookieName(gid), loginCookie, LOGIN_LIFETIME_SECONDS, context);
  if (isFirst) {
    logDecision("OAuth grant approved", request, context);
    const response = redirect(302, entraUrl, { "Set-Cookie": cookie });
    response.headers.append("Set-Cookie", await rememberApproval(request, context));
    return response;
  }
  // A double click drops the first answer; this page leads to where that one would have.
  const body = html`<p>Sign in at Microsoft to go on.</p>
<p class="actions"><a class="button" href="${entraUrl}">Continue to Microsoft</a></p>`;
  const { requestId } = context;
  return page({ status: 409, title: "You already approved this", body, requestId, cookies: [cookie] });
}

/** One login, one cookie: parallel sign-ins in one browser do not disturb each other. */
export function loginCookieName(gid: string): string {
  return `m365-login-${gid.slice(0, 8)}`;
}

async function deny({ gid, request }: ApprovalForm, context: OAuthContext): Promise<Response> {
  // Told no, the client must not get a code from an approval of the same form.
  if (await context.grants(gid).state()) return refuseUsed(context);
  logDecision("OAuth grant denied", request, context);
  const answer = { error: "access_denied", error_description: "The request was denied." } as const;
  return redirect(302, authorizationResponse(request, context.origin, answer));
}

function refuseUsed(context: OAuthContext): Response {
  return refuseForm("form_used", "This form was already used.", context, 409);
}

function logDecision(
  message: "OAuth grant approved" | "OAuth grant denied",
  { clientId, redirectUri, scopes }: AuthorizationRequest,
  { log, accessIdentity }: OAuthContext,
): void {
  const metadata = { clientId, redirectHost: redirectHost(redirectUri), scopes, accessIdentity };
  log({ level: "INFO", message, metadata });
}
