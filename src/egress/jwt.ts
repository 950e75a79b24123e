import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, type JWTVerifyOptions, jwtVerify } from "jose";
import * as v from "valibot";
import { readJson } from "../core/body.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { fetchOnce } from "./fetch.ts";

/**
 * Verifies a JWT with the keys that its issuer publishes (RFC 7519 §7.2, RFC 7517 §5). RS256 alone: what a token says of
 * its own algorithm is no choice (RFC 8725 §3.1).
 * @param keysUrl where the issuer publishes them
 * @param claims what it has to say besides; no `issuer` expected leaves that claim to the caller
 */
export async function verifyJwt<Claims extends v.GenericSchema>(
  jwt: string,
  keysUrl: string,
  claims: Claims,
  expected: Pick<JWTVerifyOptions, "issuer" | "audience">,
  now: EpochSeconds,
): Promise<Result<v.InferOutput<Claims>, "jwt_invalid" | "keys_unavailable">> {
  /** Issuers publish a key well before they sign with it. */
  const MAX_AGE_SECONDS = 600;
  /** A token with an unknown key id makes us look again, but not every such token does. */
  const COOLDOWN_SECONDS = 30;
  const checks = {
    ...expected,
    // Clocks differ.
    clockTolerance: 30,
    algorithms: ["RS256"],
    requiredClaims: ["exp", "iat"],
    currentDate: new Date(now * 1000),
  };
  for (const maxAge of [MAX_AGE_SECONDS, COOLDOWN_SECONDS]) {
    const keys = await findKeys(keysUrl, now, maxAge);
    if (keys === undefined) return err("keys_unavailable");
    try {
      return ok(v.parse(claims, (await jwtVerify(jwt, keys, checks)).payload));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ERR_JWKS_NO_MATCHING_KEY") break;
    }
  }
  return err("jwt_invalid");
}

/** Only finished look-ups are shared: a request must not wait for another one's fetch (Workers: request contexts). */
const keySets = new Map<string, { readonly keys: JWTVerifyGetKey; readonly fetchedAt: EpochSeconds }>();

async function findKeys(url: string, now: EpochSeconds, maxAge: number): Promise<JWTVerifyGetKey | undefined> {
  const DEADLINE_MS = 5000;
  /** Two or three keys with certificates. */
  const MAX_KEY_SET_BYTES = 256 * 1024;
  const known = keySets.get(url);
  if (known !== undefined && now - known.fetchedAt < maxAge) return known.keys;
  try {
    const response = await fetchOnce(url, {}, DEADLINE_MS);
    const read = await readJson(response, MAX_KEY_SET_BYTES);
    // jose refuses what is no key set.
    const keys = createLocalJWKSet((read.ok && response.status === 200 && read.value) as JSONWebKeySet);
    keySets.set(url, { keys, fetchedAt: now });
    return keys;
  } catch {
    // Keys that are merely old are better than none while their issuer is away.
    return known?.keys;
  }
}
