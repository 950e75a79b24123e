import * as v from "valibot";
import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { verifyJwt } from "../egress/jwt.ts";

/** Who passed Cloudflare Access, out of a verified assertion. There is no other way to make one. */
export interface AccessIdentity {
  /** `iss|sub`, or `iss|service:<common name>`; this is compared. */
  readonly subject: string;
  /** For logs and the gateway; addresses change. Absent for a service token, which stands for no person. */
  readonly email: string | undefined;
}

export type AccessProblem = "access_missing" | "access_service_unlisted" | "jwt_invalid" | "keys_unavailable";

/** Cloudflare: validating JSON web tokens, application token. `sub` is empty for a service token. */
const CLAIMS = v.object({
  type: v.picklist(["app"]),
  sub: v.string(),
  email: v.optional(v.string()),
  common_name: v.optional(v.string()),
});

/**
 * Verifies `Cf-Access-Jwt-Assertion`. Headers that merely name a person (`Cf-Access-Authenticated-User-Email`) prove
 * nothing and are never read.
 */
export async function verifyAssertion(
  config: Config,
  assertion: string,
  now: EpochSeconds,
): Promise<Result<AccessIdentity, AccessProblem>> {
  const issuer = `https://${config.CF_ACCESS_TEAM_DOMAIN}`;
  // Without an audience jose would not compare any.
  const expected = { issuer, audience: [...(config.CF_ACCESS_AUD ?? [])] };
  const verified = await verifyJwt(assertion, `${issuer}/cdn-cgi/access/certs`, CLAIMS, expected, now);
  if (!verified.ok) return verified;
  const { sub, email, common_name } = verified.value;
  if (common_name !== undefined) {
    if (!config.CF_ACCESS_SERVICE_TOKENS.includes(common_name)) return err("access_service_unlisted");
    return ok({ subject: `${issuer}|service:${common_name}`, email: undefined });
  }
  return sub === "" || email === undefined ? err("jwt_invalid") : ok({ subject: `${issuer}|${sub}`, email });
}
