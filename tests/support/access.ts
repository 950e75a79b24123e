import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { signIn } from "../../fixtures/entra/server.ts";
import type { Stack } from "../../fixtures/stack.ts";
import { readReply, registerClient as register, type TestClient, textOf } from "./oauth-client.ts";

type Headers = Record<string, string>;

/** A public client with a loopback redirect. */
export function registerClient(stack: Stack): Promise<TestClient> {
  return register(stack, { redirectUris: ["http://127.0.0.1/callback"] });
}

/** Approves and signs in as far as Microsoft's redirect back; every request carries `headers`. */
export async function approveAs(stack: Stack, browser: Browser, client: TestClient, headers: Headers) {
  const { verifier, challenge } = pkcePair();
  const url = new URL(`${stack.url}/authorize`);
  url.search = new URLSearchParams({
    client_id: client.clientId,
    response_type: "code",
    redirect_uri: "http://127.0.0.1/callback",
    code_challenge: challenge,
    code_challenge_method: "S256",
  }).toString();
  const page = await (await browser.open(url.href, headers)).text();
  const fields = { ...readForm(page), decision: "approve" };
  const posted = await browser.post(`${stack.url}/authorize`, fields, headers);
  return { callback: await signIn(posted.headers.get("location") ?? ""), verifier };
}

/** @returns an access token of Ada's, approved with `headers` on every request of the browser */
export async function signInWith(stack: Stack, headers: Headers): Promise<string> {
  const client = await registerClient(stack);
  const browser = new Browser();
  const { callback, verifier } = await approveAs(stack, browser, client, headers);
  const done = await browser.open(callback, headers);
  const code = new URL(done.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, client_id: client.clientId, code_verifier: verifier };
  const reply = await fetch(`${stack.url}/token`, { method: "POST", body: new URLSearchParams(form) }).then(readReply);
  return textOf(reply.body, "access_token");
}
