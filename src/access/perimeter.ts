import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type AccessIdentity, type AccessProblem, verifyAssertion } from "./assertion.ts";

/** Where a person's browser goes. */
const BROWSER_PATHS = ["/", "/info", "/authorize", "/callback"];
/** Where an assistant calls; a hosted connector cannot present Access, so `CF_ACCESS_PROTECT=browser` lets it pass. */
const CALL_PATHS = ["/sse", "/sse/message", "/mcp"];

export function isAccessRequired(config: Config, path: string): boolean {
  const isGuarded = BROWSER_PATHS.includes(path) || (config.CF_ACCESS_PROTECT === "all" && CALL_PATHS.includes(path));
  return isGuarded && config.CF_ACCESS_TEAM_DOMAIN !== undefined;
}

/**
 * What Access says of a request: an identity, nobody, or a refusal. Where it is not required it may be absent, but an
 * assertion that is there has to be good.
 * @param config one with Access
 */
export async function checkPerimeter(
  config: Config,
  request: Request,
  path: string,
  now: EpochSeconds,
): Promise<Result<AccessIdentity | undefined, AccessProblem>> {
  const assertion = request.headers.get("Cf-Access-Jwt-Assertion");
  if (assertion !== null) return verifyAssertion(config, assertion, now);
  return isAccessRequired(config, path) ? err("access_missing") : ok(undefined);
}

/** What a grant's object is told of Access: who came, and whether somebody had to. */
export interface Perimeter {
  readonly identity: AccessIdentity | undefined;
  readonly isRequired: boolean;
}

/**
 * Why who came through Access may not use a grant that `bound` approved; undefined when nothing is wrong. A grant from
 * before Access was on has to be made anew, whoever comes with it (AC-07); a listed service token is compared with nobody.
 * @param bound the `subject` at approval, or null
 */
export function judgeIdentity(
  bound: string | null,
  { identity, isRequired }: Perimeter,
): "unauthorized" | "identity_mismatch" | undefined {
  if (bound === null) return isRequired ? "unauthorized" : undefined;
  if (identity?.email === undefined) return undefined;
  return identity.subject === bound ? undefined : "identity_mismatch";
}
