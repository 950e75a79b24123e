import { type Bytes, base64url, equalBytes, readBase64url, utf8 } from "../core/bytes.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { hmac } from "./hash.ts";
import type { KeyRing, MasterKey } from "./keys.ts";
import { randomBytes } from "./random.ts";

/** Authorization code, access token, refresh token, and the `state` we send to Entra. */
export type TokenKind = "m365c" | "m365a" | "m365r" | "m365s";

/** What a checked text says. Whether it was used or revoked is for the grant's object to decide. */
export interface Token {
  readonly text: string;
  readonly gid: string;
  readonly expiresAt: EpochSeconds;
}

export type TokenProblem = "token_malformed" | "token_forged" | "token_expired";

/** An expiry of 4 bytes and 24 random ones. */
const BODY_BYTES = 28;

/** `<kind>.<gid>.<secret>`, RFC 6750 §2.1 b64token characters only. */
const SHAPE = /^(m365[a-z])\.([\w-]{22})\.([\w-]{59})$/;

/** A bearer that claims to be one of ours, well formed or not; a capital letter makes it malformed and not foreign. */
export function hasOurShape(bearer: string): boolean {
  return /^m365[a-zA-Z]\./.test(bearer);
}

export function mintGrantId(): string {
  const GID_BYTES = 16;
  return base64url(randomBytes(GID_BYTES));
}

/** Draws a token that nobody can guess and that this server recognises without storage. */
export async function mintToken(
  [current]: KeyRing,
  kind: TokenKind,
  gid: string,
  expiresAt: EpochSeconds,
): Promise<Token> {
  const body = randomBytes(BODY_BYTES);
  new DataView(body.buffer).setUint32(0, expiresAt);
  const tag = await computeTag(current, kind, gid, body);
  return { text: `${kind}.${gid}.${base64url(Uint8Array.of(...body, ...tag))}`, gid, expiresAt };
}

/**
 * Checks kind, tag and expiry: one HMAC, no storage. A token of another kind counts as malformed.
 * @param now a token is alive while `now` is before its expiry
 */
export async function readToken(
  ring: KeyRing,
  kind: TokenKind,
  text: string,
  now: EpochSeconds,
): Promise<Result<Token, TokenProblem>> {
  const [, kindText, gid = "", secretText = ""] = SHAPE.exec(text) ?? [];
  const secret = readBase64url(secretText);
  if (kindText !== kind || !readBase64url(gid) || secret === undefined) return err("token_malformed");
  const body = secret.subarray(0, BODY_BYTES);
  for (const key of ring) {
    if (!equalBytes(await computeTag(key, kind, gid, body), secret.subarray(BODY_BYTES))) continue;
    const expiresAt = new DataView(secret.buffer).getUint32(0) as EpochSeconds;
    return now < expiresAt ? ok({ text, gid, expiresAt }) : err("token_expired");
  }
  return err("token_forged");
}

async function computeTag(key: MasterKey, kind: TokenKind, gid: string, body: Bytes): Promise<Bytes> {
  const TAG_BYTES = 16;
  const tag = await hmac(key.tagKey, Uint8Array.of(...utf8(`${kind}.${gid}.`), ...body));
  return tag.subarray(0, TAG_BYTES);
}
