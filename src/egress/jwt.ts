import { type JSONWebKeySet, type JWK, type JWTVerifyOptions, jwtVerify } from "jose";
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
  let problem: "jwt_invalid" | "keys_unavailable" = "jwt_invalid";
  const checks = {
    ...expected,
    // Clocks differ.
    clockTolerance: 30,
    algorithms: ["RS256"],
    requiredClaims: ["exp", "iat"],
    currentDate: new Date(now * 1000),
  };
  const getKey = async ({ kid }: { readonly kid?: string }) => {
    // Issuers publish a key well before they sign with it. An unknown one makes us look again, but not every time.
    for (const maxAgeSeconds of [600, 30]) {
      const keys = await findKeys(keysUrl, now, maxAgeSeconds);
      if (keys === undefined) {
        problem = "keys_unavailable";
        break;
      }
      const key = keys.find((one) => one.kid === kid);
      if (key !== undefined) return key;
    }
    throw new Error("unknown key");
  };
  const read = await jwtVerify(jwt, getKey, checks).then(
    ({ payload }) => v.safeParse(claims, payload),
    () => undefined,
  );
  return read?.success ? ok(read.output) : err(problem);
}

interface KeySet {
  readonly keys: readonly JWK[];
  readonly fetchedAt: EpochSeconds;
}

/** Only finished look-ups are shared: a request must not wait for another one's fetch (Workers: request contexts). */
const keySets = new Map<string, KeySet>();

async function findKeys(url: string, now: EpochSeconds, maxAgeSeconds: number): Promise<readonly JWK[] | undefined> {
  const DEADLINE_MS = 5000;
  /** Two or three keys with certificates. */
  const MAX_KEY_SET_BYTES = 256 * 1024;
  const known = keySets.get(url);
  if (known !== undefined && now - known.fetchedAt < maxAgeSeconds) return known.keys;
  try {
    const response = await fetchOnce(url, {}, DEADLINE_MS);
    const read = await readJson(response, MAX_KEY_SET_BYTES);
    // What holds no keys throws here; jose judges each when it is used. RS256 is of RSA keys, and one of another type may
    // have the same kid (RFC 7517 §4.5).
    const keys = ((response.ok && read.ok && read.value) as JSONWebKeySet).keys.filter(
      ({ use = "sig", kty }) => use === "sig" && kty === "RSA",
    );
    keySets.set(url, { keys, fetchedAt: now });
    return keys;
  } catch {
    // Keys that are merely old are better than none while their issuer is away.
    return known?.keys;
  }
}
