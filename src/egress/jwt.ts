import { createLocalJWKSet, type JWTPayload, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import { readBounded } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { fetchFrom } from "./fetch.ts";

const DEADLINE_MS = 5000;
/** Two or three keys with certificates. */
const MAX_KEY_SET_BYTES = 256 * 1024;
/** Issuers publish a key well before they sign with it. */
const MAX_AGE_SECONDS = 600;
/** A token with an unknown key id makes us look again, but not every such token does. */
const COOLDOWN_SECONDS = 30;

/**
 * Verifies a JWT with the keys that its issuer publishes (RFC 7519 §7.2, RFC 7517 §5). RS256 alone: what a token says of
 * its own algorithm is no choice (RFC 8725 §3.1).
 * @param keysUrl where the issuer publishes them
 */
export async function verifyJwt(
  jwt: string,
  keysUrl: string,
  options: JWTVerifyOptions,
  now: EpochSeconds,
): Promise<Result<JWTPayload, "jwt_invalid" | "keys_unavailable">> {
  const checks = { ...options, algorithms: ["RS256"], currentDate: new Date(now * 1000) };
  for (const maxAge of [MAX_AGE_SECONDS, COOLDOWN_SECONDS]) {
    const keys = await findKeys(keysUrl, now, maxAge);
    if (keys === undefined) return err("keys_unavailable");
    try {
      return ok((await jwtVerify(jwt, keys, checks)).payload);
    } catch (error) {
      if (!isUnknownKey(error)) return err("jwt_invalid");
    }
  }
  return err("jwt_invalid");
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_JWKS_NO_MATCHING_KEY";
}

/** Only finished look-ups are shared: a request must not wait for another one's fetch (Workers: request contexts). */
const keySets = new Map<string, { readonly keys: JWTVerifyGetKey; readonly fetchedAt: EpochSeconds }>();

async function findKeys(url: string, now: EpochSeconds, maxAge: number): Promise<JWTVerifyGetKey | undefined> {
  const known = keySets.get(url);
  if (known !== undefined && now - known.fetchedAt < maxAge) return known.keys;
  try {
    const response = await fetchFrom(new URL(url).origin, url, {}, AbortSignal.timeout(DEADLINE_MS));
    const bytes = await readBounded(response.body, MAX_KEY_SET_BYTES);
    const keys = createLocalJWKSet(JSON.parse((bytes.ok && response.status === 200 && readUtf8(bytes.value)) || ""));
    keySets.set(url, { keys, fetchedAt: now });
    return keys;
  } catch {
    // Keys that are merely old are better than none while their issuer is away.
    return known?.keys;
  }
}
