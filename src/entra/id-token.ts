import * as v from "valibot";
import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { verifyJwt } from "../egress/jwt.ts";
import { entraUrl } from "./endpoints.ts";

/** Who signed in, out of a verified id_token. `tid` and `oid` identify; the rest is for display and may change. */
export interface EntraIdentity {
  readonly tid: string;
  readonly oid: string;
  readonly name: string;
  readonly email: string;
}

/** In any case; read as lower case. */
export const GUID = v.pipe(v.string(), v.uuid(), v.toLowerCase());

const CLAIMS = v.object({
  tid: GUID,
  oid: GUID,
  iss: v.string(),
  nonce: v.string(),
  name: v.optional(v.string(), ""),
  email: v.optional(v.string()),
  preferred_username: v.optional(v.string(), ""),
});

export type IdTokenProblem =
  | "id_token_missing"
  | "jwt_invalid"
  | "keys_unavailable"
  | "tenant_refused"
  | "nonce_mismatch";

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
  const expected = { audience: config.MICROSOFT_CLIENT_ID };
  const verified = await verifyJwt(idToken, entraUrl(config, "discovery/v2.0/keys"), CLAIMS, expected, now);
  if (!verified.ok) return verified;
  const { tid, oid, iss, name, email, preferred_username } = verified.value;
  const isAnyTenant = ["organizations", "common"].includes(config.MICROSOFT_TENANT_ID);
  if (!isAnyTenant && tid !== config.MICROSOFT_TENANT_ID) return err("tenant_refused");
  // The issuer carries the tenant, so it is checked against the tenant just read.
  if (iss !== entraUrl(config, "v2.0", tid)) return err("jwt_invalid");
  if (verified.value.nonce !== nonce) return err("nonce_mismatch");
  return ok({ tid, oid, name, email: email ?? preferred_username });
}
