import { hex, utf8 } from "../core/bytes.ts";
import { openValue, sealValue } from "../crypto/box.ts";
import { hmac, importHmacKey, sha256 } from "../crypto/hash.ts";
import { STATIC_CLIENT_ID } from "./client.ts";
import { cookieKeys, getCookie, makeCookie, type OAuthContext } from "./context.ts";
import type { AuthorizationRequest } from "./grants.ts";
import { isNativeRedirect } from "./redirect-uri.ts";

const APPROVALS_COOKIE = "m365-approvals";
const APPROVALS_COOKIE_SECONDS = 31_536_000;
/** Fits a cookie of 4,096 bytes, the least that browsers keep (RFC 6265 §6.1). */
const MAX_APPROVALS = 50;
const PLACE = ["approvals", "", "cookie"] as const;

/**
 * What this browser approved before, newest last: hashes of requests, no person. Shape of the cookie:
 * `<64 hex digits: HMAC-SHA-256 by COOKIE_SECRET over the payload>.<base64 of a box>`.
 */
export async function readApprovals(context: OAuthContext): Promise<readonly string[]> {
  const cookie = getCookie(APPROVALS_COOKIE, context);
  const [, signature, payload] = /^([0-9a-f]{64})\.(.{1,4000})$/.exec(cookie) ?? [];
  if (signature === undefined || payload === undefined) return [];
  const { COOKIE_SECRET, COOKIE_SECRET_PREVIOUS = COOKIE_SECRET } = context.config;
  // Whoever could sign it wrote it, so it is base64 and a box of ours.
  const isOurs =
    signature === (await sign(payload, COOKIE_SECRET)) || signature === (await sign(payload, COOKIE_SECRET_PREVIOUS));
  if (!isOurs) return [];
  return (await openValue<readonly string[]>(await cookieKeys(context), PLACE, atob(payload))) ?? [];
}

/** The cookie with one more approval, sealed and signed by the current keys. */
export async function rememberApproval(request: AuthorizationRequest, context: OAuthContext): Promise<string> {
  const approval = await nameApproval(request);
  const others = (await readApprovals(context)).filter((other) => other !== approval);
  const payload = btoa(await sealValue(await cookieKeys(context), PLACE, [...others, approval].slice(-MAX_APPROVALS)));
  const value = `${await sign(payload, context.config.COOKIE_SECRET)}.${payload}`;
  return makeCookie(APPROVALS_COOKIE, value, APPROVALS_COOKIE_SECONDS, context);
}

/**
 * Whether the short page will do. Never where any program of the person's computer could be waiting at the redirect,
 * nor for the client id that everybody shares.
 */
export async function isRemembered(request: AuthorizationRequest, context: OAuthContext): Promise<boolean> {
  if (request.clientId === STATIC_CLIENT_ID || isNativeRedirect(request.redirectUri)) return false;
  return (await readApprovals(context)).includes(await nameApproval(request));
}

/** Another client, redirect, resource or set of scopes is another approval. */
async function nameApproval({ clientId, redirectUri, scopes, resource }: AuthorizationRequest): Promise<string> {
  return (await sha256(JSON.stringify([clientId, redirectUri, [...scopes].sort(), resource]))).slice(0, 22);
}

async function sign(payload: string, secret: string): Promise<string> {
  return hex(await hmac(await importHmacKey(secret), utf8(payload)));
}
