import { clipText } from "../core/text.ts";
import type { GraphScope } from "../graph/scopes.ts";
import { html, type Markup } from "../http/html.ts";
import { readUrl } from "../http/origin.ts";
import type { Client } from "./client.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { page } from "./page.ts";
import { isNativeRedirect, isWeb, redirectHost } from "./redirect-uri.ts";

/** In plain words, grouped as a person thinks of their account. */
const SCOPE_WORDS: { readonly [Scope in GraphScope]: readonly [group: string, words: string] } = {
  "User.Read": ["Profile", "See your name and account details"],
  "Mail.Read": ["Mail", "Read your mail"],
  "Mail.Send": ["Mail", "Send mail as you"],
  "Calendars.Read": ["Calendar", "Read your calendars"],
  "Calendars.ReadWrite": ["Calendar", "Create and change events in your calendars"],
  "Contacts.Read": ["Contacts", "Read your contacts"],
  "ChannelMessage.Send": ["Teams", "Post messages in Teams channels as you"],
  "OnlineMeetings.ReadWrite": ["Teams", "Create and change online meetings"],
  "Team.ReadBasic.All": ["Teams", "See the names of your teams"],
  "Channel.ReadBasic.All": ["Teams", "See the names of the channels of your teams"],
};

export interface ApprovalPage {
  readonly client: Client;
  readonly request: AuthorizationRequest;
  /** The sealed form. */
  readonly form: string;
  /** Approved before in this browser: one click is enough, but never none. */
  readonly isRemembered: boolean;
  readonly requestId: string;
  readonly cookies: readonly string[];
}

/** Who asks, where the answer goes, what it may do. Approve and Deny weigh the same. */
export function approvalPage({ client, request, form, isRemembered, ...rest }: ApprovalPage): Response {
  const { redirectUri } = request;
  const body = html`<p><strong dir="auto">${clip(client.clientName)}</strong> asks to work in your Microsoft 365 account.</p>
<h2>The answer goes to</h2>
<p class="host">${redirectHost(redirectUri)}</p>
${isRemembered ? html`<p>You approved this before in this browser.</p>` : considerations(request)}
<form method="post" action="/authorize" class="actions">
<input type="hidden" name="form" value="${form}">
${button("approve", isRemembered ? "Continue" : "Approve")}
${isRemembered ? button("review", "Change or deny") : button("deny", "Deny")}
</form>
${isRemembered ? undefined : details(client)}`;
  const title = isRemembered ? "Continue to Microsoft 365?" : "Allow access to Microsoft 365?";
  return page({ ...rest, status: 200, title, body, formAction: formAction(request) });
}

function button(decision: string, label: string): Markup {
  return html`<button name="decision" value="${decision}">${label}</button>`;
}

function considerations({ redirectUri, scopes }: AuthorizationRequest): Markup {
  const groups = [...new Set(scopes.map((scope) => SCOPE_WORDS[scope][0]))];
  return html`<p>${isNativeRedirect(redirectUri) ? "That is a program on this computer. " : ""}Approve only if you started this yourself.</p>
<h2>It would be allowed to</h2>
${groups.map(
  (group) =>
    html`<h3 class="dim">${group}</h3><ul>${scopes
      .filter((scope) => SCOPE_WORDS[scope][0] === group)
      .map((scope) => html`<li>${SCOPE_WORDS[scope][1]} <span class="dim">(${scope})</span></li>`)}</ul>`,
)}`;
}

/**
 * CSP3 §6.5.1: Chromium applies `form-action` to every redirect that follows the post: Entra, whatever identity
 * provider an organisation federates with, and on denial the client. Those hosts cannot be listed; their schemes can.
 * Where this server itself is on plain http, which is on one's own computer, Entra is simulated beside it, on http too.
 */
function formAction({ redirectUri, resource }: AuthorizationRequest): string {
  const schemes = ["https:", ...[redirectUri, resource].map((url) => new URL(url).protocol)];
  return ["'self'", ...new Set(schemes)].join(" ");
}

function details({ clientName, clientId, clientUri, policyUri, tosUri, contacts }: Client): Markup {
  return html`<h2>Details given by the application itself</h2>
<ul class="dim">
${detail("Name", clientName)}${detail("Id", clientId)}${link("Website", clientUri)}${link("Privacy", policyUri)}${link("Terms", tosUri)}${detail("Contact", contacts?.join(", "))}
</ul>
<p class="dim">Nobody has verified these. After approving you sign in at Microsoft.</p>`;
}

function detail(label: string, text: string | undefined): Markup | undefined {
  return text ? html`<li>${label}: <bdi>${clip(text)}</bdi></li>` : undefined;
}

/** AP-04: what is no web address would run or open something else, and is left out. */
function link(label: string, address = ""): Markup | undefined {
  return isWeb(readUrl(address)) ? html`<li>${label}: <a href="${address}">${clip(address)}</a></li>` : undefined;
}

/** Room enough for an honest name, too little to push the rest of the page away. */
function clip(text: string): string {
  return text.length > 120 ? `${clipText(text, 119)}…` : text;
}
