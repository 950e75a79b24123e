// What a person and a client do, in a browser at a deployment.
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { pkcePair } from "../../fixtures/browser.ts";
import { ADA } from "../../fixtures/people.ts";
import { authorizeUrl } from "../support/oauth-client.ts";
import { CLIENT, type Deployment, LOGIN, ORIGIN } from "./deployment.ts";
import type { SiteRequest } from "./sites.ts";

export const WEB_REDIRECT = `${CLIENT}/oauth/callback`;
export const AUTHORIZE = `${ORIGIN}/authorize`;

export interface Asking {
  /** Opens the approval page. */
  readonly url: string;
  readonly clientId: string;
  readonly verifier: string;
}

/** A client of its own that asks once. */
export async function ask(deployment: Deployment, redirectUri = WEB_REDIRECT): Promise<Asking> {
  const clientId = await deployment.register({ client_name: "Contoso Notes", redirect_uris: [redirectUri] });
  const { verifier, challenge } = pkcePair();
  return { url: authorizeUrl({ url: ORIGIN }, { clientId, redirectUri }, challenge), clientId, verifier };
}

export function press(page: Page, name: string): Promise<void> {
  return page.getByRole("button", { name, exact: true }).click();
}

export function chooseAda(page: Page): Promise<void> {
  return page.getByRole("button", { name: ADA.name }).click();
}

export function heading(page: Page): Promise<string | null> {
  return page.getByRole("heading", { level: 1 }).textContent();
}

export async function textOf(page: Page): Promise<string> {
  return (await page.locator("main").textContent()) ?? "";
}

/** The browser is back at the client, with an answer of ours. */
export function answerAt(page: Page, redirectUri = WEB_REDIRECT): URLSearchParams {
  const url = new URL(page.url());
  assert.equal(`${url.protocol}//${url.host}${url.pathname}`, redirectUri);
  assert.equal(url.searchParams.get("iss"), ORIGIN);
  assert.equal(url.searchParams.get("state"), "state-of-the-client");
  return url.searchParams;
}

/** How /token takes the code that the browser brought to the client. */
export async function redeemStatus(deployment: Deployment, page: Page, asking: Asking): Promise<number> {
  const code = answerAt(page).get("code") ?? "";
  const form = { grant_type: "authorization_code", client_id: asking.clientId, code, code_verifier: asking.verifier };
  const body = new URLSearchParams({ ...form, redirect_uri: WEB_REDIRECT }).toString();
  return (await deployment.post("/token", body, "application/x-www-form-urlencoded")).status;
}

/** Visits to Microsoft's sign-in. */
export function authorizeVisits({ seen }: Deployment): SiteRequest[] {
  return seen.filter(({ url }) => url.origin === LOGIN && /\/authorize$/.test(url.pathname));
}

/** Answers that the person gave. */
export function posts(deployment: Deployment): SiteRequest[] {
  return deployment.requestsTo(AUTHORIZE).filter(({ method }) => method === "POST");
}
