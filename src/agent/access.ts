import { judgeIdentity, type Perimeter } from "../access/perimeter.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type AccessGrant, checkAccess } from "../oauth/grant/access.ts";
import type { Grant } from "../oauth/grant/grant.ts";
import type { Trace } from "../oauth/grants.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { Place } from "./mcp-deps.ts";

/** Where a token is shown, and through whom: to its object it is SHA-256 of its text. */
export interface Presented {
  readonly origin: string;
  readonly accessHash: string;
  readonly perimeter: Perimeter;
}

/** Who comes with what. */
export interface Access extends Place, Presented {
  readonly gid: string;
  readonly trace: Trace;
}

/** What the token may do, if it is alive, was issued for this server, and comes from whom it was issued to. */
export function judge(
  { accessHash, origin, perimeter }: Presented,
  grant: Grant | undefined,
  now: EpochSeconds,
): Result<AccessGrant, "unauthorized" | "identity_mismatch"> {
  const access = checkAccess(grant, accessHash, now);
  if (access === undefined || !isOurResource(access.authorization.resource, origin)) return err("unauthorized");
  const problem = judgeIdentity(access.authorization.accessIdentity, perimeter);
  return problem === undefined ? ok(access) : err(problem);
}
