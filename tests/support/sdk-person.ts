// A person behind an SDK client: remembers what the OAuth client is to remember, and signs in when asked to.
import { randomBytes } from "node:crypto";
import { approve, Browser } from "../../fixtures/browser.ts";
import type { Stack } from "../../fixtures/stack.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { mintToken } from "../../src/crypto/token.ts";
import { gidOf } from "./oauth-lab.ts";

const REDIRECT = "http://127.0.0.1:33418/callback";

interface AnyTokens {
  access_token: string;
  refresh_token?: string | undefined;
}

/** Fits `OAuthClientProvider` of either SDK; each has its own types for what is stored. */
export class SdkPerson<Information, Tokens extends AnyTokens> {
  readonly redirectUrl = REDIRECT;
  readonly clientMetadata = {
    client_name: "SDK client",
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
  };
  signIns = 0;
  #information: Information | undefined;
  #tokens: Tokens | undefined;
  #codeVerifier = "";
  #authorizeUrl: URL | undefined;

  state(): string {
    return randomBytes(16).toString("base64url");
  }
  clientInformation(): Information | undefined {
    return this.#information;
  }
  saveClientInformation(information: Information): void {
    this.#information = information;
  }
  tokens(): Tokens | undefined {
    return this.#tokens;
  }
  saveTokens(tokens: Tokens): void {
    this.#tokens = tokens;
  }
  saveCodeVerifier(codeVerifier: string): void {
    this.#codeVerifier = codeVerifier;
  }
  codeVerifier(): string {
    return this.#codeVerifier;
  }
  redirectToAuthorization(authorizeUrl: URL): void {
    this.#authorizeUrl = authorizeUrl;
  }

  /**
   * The SDKs answer `insufficient_scope` by refreshing, and no refresh may widen a scope (RFC 6749 §6); without a refresh
   * token they ask the person.
   */
  readonly fetch = async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    if (response.status === 403 && this.#tokens !== undefined) {
      const { refresh_token: _forgotten, ...rest } = this.#tokens;
      // What is left out may be left out.
      this.#tokens = rest as Tokens;
    }
    return response;
  };

  /** Runs something, and again after signing in where the server asked for that. */
  async signingIn<Value>(
    run: () => Promise<Value>,
    finish: (answer: URLSearchParams) => Promise<void>,
    again: () => Promise<Value> = run,
  ): Promise<Value> {
    try {
      return await run();
    } catch (error) {
      const authorizeUrl = this.#authorizeUrl;
      if (authorizeUrl === undefined) throw error;
      this.#authorizeUrl = undefined;
      this.signIns += 1;
      const redirect = await approve(new Browser(), authorizeUrl.href);
      await finish(redirect.searchParams);
      return again();
    }
  }

  /** An hour later: the access token is one that ran out, the refresh token is still good. */
  async outliveToken(stack: Stack): Promise<void> {
    if (this.#tokens === undefined) throw new Error("nobody has signed in");
    this.#tokens = { ...this.#tokens, access_token: await expiredTwin(stack, this.#tokens.access_token) };
  }
}

/** A token of the same grant, tagged by the Worker's own key, that ended a minute ago. */
export async function expiredTwin(stack: Stack, token: string): Promise<string> {
  const ring = await loadKeyRing(stack.bindings.ENCRYPTION_KEY ?? "", undefined);
  const { text } = await mintToken(ring, "m365a", gidOf(token), epochSeconds(Date.now() - 60_000));
  return text;
}
