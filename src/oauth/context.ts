import type { Config } from "../config.ts";
import { err, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type KeyRing, loadKeyRing } from "../crypto/keys.ts";
import { readToken, type Token, type TokenKind, type TokenProblem } from "../crypto/token.ts";
import type { GraphScope } from "../graph/scopes.ts";
import { cookieName, readCookie, setCookie } from "../http/cookies.ts";
import type { Log } from "../observe/log.ts";
import type { ClientStore } from "./client-store.ts";
import type { About, Grants } from "./grants.ts";

/** What every OAuth endpoint is given: the request and all effects it may have. */
export interface OAuthContext {
  readonly request: Request;
  readonly url: URL;
  /** Our issuer: scheme, host and port, without a trailing slash (RFC 8414 §2). */
  readonly origin: string;
  readonly requestId: string;
  readonly clientType: string;
  readonly now: EpochSeconds;
  /** `iss|sub` of the verified Cloudflare Access assertion, where there is one. */
  readonly accessIdentity: string | null;
  readonly log: Log;
  readonly config: Config;
  readonly clients: ClientStore;
  /** `OAUTH_KV`: registrations and the index of grants. */
  readonly registrations: KVNamespace;
  readonly grants: Grants;
  /** Every scope that some tool or resource needs, in catalogue order. */
  readonly catalogueScopes: readonly GraphScope[];
  /** Lets work go on after the answer was sent. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** What every call to a grant's object says: whose grant it is, and which request it belongs to. */
export function about(gid: string, { origin, requestId, clientType }: OAuthContext): About {
  return { gid, origin, trace: { requestId, clientType } };
}

/** Seals tokens and tags them. */
export function tokenKeys(config: Config): Promise<KeyRing> {
  return loadKeyRing(config.ENCRYPTION_KEY, config.ENCRYPTION_KEY_PREVIOUS);
}

/** Seals what a browser carries: forms and cookies. */
export function cookieKeys({ config }: OAuthContext): Promise<KeyRing> {
  return loadKeyRing(config.COOKIE_ENCRYPTION_KEY, config.COOKIE_ENCRYPTION_KEY_PREVIOUS);
}

/** Reads a token that is of one of these kinds; which one, it says itself. */
export async function readTokenOf(
  kinds: readonly TokenKind[],
  text: string,
  { config, now }: OAuthContext,
): Promise<Result<Token, TokenProblem>> {
  const kind = kinds.find((name) => text.startsWith(name));
  return kind ? readToken(await tokenKeys(config), kind, text, now) : err("token_malformed");
}

/** The value of a cookie of ours; empty where there is none. */
export function getCookie(name: string, context: OAuthContext): string {
  return readCookie(context.request.headers.get("Cookie"), cookieName(name, isHttps(context))) ?? "";
}

/** A `Set-Cookie` value. @param maxAgeSeconds 0 removes the cookie */
export function makeCookie(name: string, value: string, maxAgeSeconds: number, context: OAuthContext): string {
  return setCookie(name, value, maxAgeSeconds, isHttps(context));
}

/** Whether cookies can be `Secure`: everywhere but on plain http, which only loopback gets to use. */
function isHttps({ origin }: OAuthContext): boolean {
  return origin.startsWith("https:");
}
