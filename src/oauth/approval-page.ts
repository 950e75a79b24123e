import { clipText } from "../core/text.ts";
import type { GraphScope } from "../graph/scopes.ts";
import { html, type Markup } from "../http/html.ts";
import { readUrl } from "../http/origin.ts";
import type { Client } from "./client.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { page } from "./page.ts";
import { isNativeRedirect } from "./redirect-uri.ts";

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
  "Team.ReadBasic.All": ["Teams", "See the names of the teams you are in"],
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
export function approvalPage(options: ApprovalPage): Response {
  const { client, request, isRemembered } = options;
  const body = html`<p><strong dir="auto">${clip(client.clientName)}</strong> asks to work in your Microsoft 365 account.</p>
<h2>The answer goes to</h2>
<p class="host">${redirectHost(request.redirectUri)}</p>
${isRemembered ? REMEMBERED : considerations(request)}
<form method="post" action="/authorize">
<input type="hidden" name="form" value="${options.form}">
<div class="actions">
<button type="submit" name="decision" value="approve">${isRemembered ? "Continue" : "Approve"}</button>
${isRemembered ? REVIEW_BUTTON : DENY_BUTTON}
</div>
</form>
${isRemembered ? undefined : details(client)}`;
  return page({
    status: 200,
    title: isRemembered ? "Continue to Microsoft 365?" : "Allow access to Microsoft 365?",
    body,
    requestId: options.requestId,
    formAction: formAction(request.redirectUri),
    cookies: options.cookies,
  });
}

const REMEMBERED = html`<p>You approved this before in this browser.</p>`;
const REVIEW_BUTTON = html`<button type="submit" name="decision" value="review">Change or deny</button>`;
const DENY_BUTTON = html`<button type="submit" name="decision" value="deny">Deny</button>`;

function considerations({ redirectUri, scopes }: AuthorizationRequest): Markup {
  return html`<p>${isNativeRedirect(redirectUri) ? "That is a program on this computer. " : ""}Approve only if you started this yourself.</p>
<h2>It would be allowed to</h2>
${scopeList(scopes)}`;
}

/**
 * CSP3 §6.5.1: Chromium applies `form-action` to every redirect that follows the post: Entra, whatever identity
 * provider an organisation federates with, and on denial the client. Those hosts cannot be listed; their schemes can.
 */
function formAction(redirectUri: string): string {
  const scheme = readUrl(redirectUri)?.protocol ?? "https:";
  return scheme === "https:" ? "'self' https:" : `'self' https: ${scheme}`;
}

function scopeList(scopes: readonly GraphScope[]): Markup[] {
  const groups = new Map<string, GraphScope[]>();
  for (const scope of scopes) {
    const [group] = SCOPE_WORDS[scope];
    groups.set(group, [...(groups.get(group) ?? []), scope]);
  }
  return [...groups].map(
    ([group, members]) =>
      html`<h3 class="dim">${group}</h3><ul>${members.map(
        (scope) => html`<li>${SCOPE_WORDS[scope][1]} <span class="dim">(${scope})</span></li>`,
      )}</ul>`,
  );
}

function details(client: Client): Markup {
  const rows: Markup[] = [
    html`<li>Name: <bdi>${clip(client.clientName)}</bdi></li>`,
    html`<li>Id: ${clip(client.clientId)}</li>`,
  ];
  const links: readonly [string, string | undefined][] = [
    ["Website", client.clientUri],
    ["Privacy", client.policyUri],
    ["Terms", client.tosUri],
  ];
  for (const [label, address] of links) {
    if (address !== undefined && isWebLink(address)) {
      rows.push(html`<li>${label}: <a href="${address}" rel="noreferrer noopener">${clip(address)}</a></li>`);
    }
  }
  if (client.contacts !== undefined && client.contacts.length > 0) {
    rows.push(html`<li>Contact: ${clip(client.contacts.join(", "))}</li>`);
  }
  return html`<h2>Details given by the application itself</h2>
<ul class="dim">${rows}</ul>
<p class="dim">Nobody has verified these. After approving you sign in at Microsoft.</p>`;
}

function isWebLink(address: string): boolean {
  return ["https:", "http:"].includes(readUrl(address)?.protocol ?? "");
}

/** What a person can judge an address by: its host, or the scheme of a program. */
export function redirectHost(redirectUri: string): string {
  const url = readUrl(redirectUri);
  if (url === undefined) return clip(redirectUri);
  return url.protocol === "http:" || url.protocol === "https:" ? url.host : `${url.protocol}//`;
}

/** Room enough for an honest name, too little to push the rest of the page away. */
function clip(text: string): string {
  return text.length > 120 ? `${clipText(text, 119)}…` : text;
}
