import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import * as v from "valibot";
import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { fetchFrom } from "../egress/fetch.ts";
import { entraIssuer, entraKeysUrl } from "./endpoints.ts";

/** Who signed in, out of a verified id_token. `tid` and `oid` identify; the rest is for display and may change. */
export interface EntraIdentity {
  readonly tid: string;
  readonly oid: string;
  readonly name: string;
  readonly email: string;
}

const GUID = v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/), v.toLowerCase());

const CLAIMS = v.object({
  tid: GUID,
  oid: GUID,
  iss: v.string(),
  nonce: v.string(),
  name: v.optional(v.string(), ""),
  email: v.optional(v.string()),
  preferred_username: v.optional(v.string()),
});

export type IdTokenProblem =
  | "id_token_missing"
  | "id_token_invalid"
  | "tenant_refused"
  | "nonce_mismatch"
  | "keys_unavailable";

/** Clocks differ; Microsoft's libraries allow more. */
const CLOCK_TOLERANCE_SECONDS = 60;

/**
 * OpenID Connect Core §3.1.3.7 in full: signature, `iss`, `aud`, `exp`, `nonce`, and the tenant rule.
 * @param nonce the one of this login
 */
export async function verifyIdToken(
  config: Config,
  idToken: string | undefined,
  nonce: string,
  now: EpochSeconds,
): Promise<Result<EntraIdentity, IdTokenProblem>> {
  if (idToken === undefined) return err("id_token_missing");
  const verified = await verifySignature(config, idToken, now);
  if (!verified.ok) return verified;
  const claims = v.safeParse(CLAIMS, verified.value);
  if (!claims.success) return err("id_token_invalid");
  const { tid, oid, iss, name, email, preferred_username } = claims.output;
  const isAnyTenant = config.MICROSOFT_TENANT_ID === "organizations" || config.MICROSOFT_TENANT_ID === "common";
  if (!isAnyTenant && tid !== config.MICROSOFT_TENANT_ID) return err("tenant_refused");
  // The issuer carries the tenant, so it is checked against the tenant just read.
  if (iss !== entraIssuer(config, tid)) return err("id_token_invalid");
  if (claims.output.nonce !== nonce) return err("nonce_mismatch");
  return ok({ tid, oid, name, email: email ?? preferred_username ?? "" });
}

async function verifySignature(
  config: Config,
  idToken: string,
  now: EpochSeconds,
): Promise<Result<unknown, IdTokenProblem>> {
  try {
    const { payload } = await jwtVerify(idToken, entraKeys(config), {
      algorithms: ["RS256"],
      audience: config.MICROSOFT_CLIENT_ID,
      requiredClaims: ["iss", "exp", "iat", "nonce", "tid", "oid"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(now * 1000),
    });
    return ok(payload);
  } catch (error) {
    return err(isKeyFetchFailure(error) ? "keys_unavailable" : "id_token_invalid");
  }
}

/** jose names what is wrong with a token; the rest is the way to the keys. */
function isKeyFetchFailure(error: unknown): boolean {
  return !(error instanceof errors.JOSEError) || error.code === "ERR_JWKS_TIMEOUT" || error.code === "ERR_JOSE_GENERIC";
}

const keySets = new Map<string, JWTVerifyGetKey>();

/** Fetched when first needed and kept by jose; a key id that is not known fetches again, at most every 30 s. */
function entraKeys(config: Config): JWTVerifyGetKey {
  const url = entraKeysUrl(config);
  let keys = keySets.get(url);
  if (keys === undefined) {
    keys = createRemoteJWKSet(new URL(url), {
      timeoutDuration: 5000,
      cooldownDuration: 30_000,
      cacheMaxAge: 3_600_000,
      [customFetch]: (address, init) =>
        fetchFrom(config.MICROSOFT_AUTHORITY, address, { method: "GET", headers: init.headers }, init.signal),
    });
    keySets.set(url, keys);
  }
  return keys;
}
