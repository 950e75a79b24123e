import { judgeIdentity, type Perimeter } from "../access/perimeter.ts";
import { err, ok, type Result } from "../core/result.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type AccessGrant, checkAccess } from "../oauth/grant/access.ts";
import type { Grant } from "../oauth/grant/grant.ts";
import type { Trace } from "../oauth/grants.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { AgentContext } from "./context.ts";
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

/** The same, with a line when the token is good and comes from somebody else: a mistake, or theft. */
export function judgeCaller(presented: Presented, { store, log, now }: AgentContext) {
  const grant = store.grant();
  const judged = judge(presented, grant, now());
  if (!judged.ok && judged.error === "identity_mismatch" && grant?.state === "active") {
    log({
      level: "WARN",
      message: "Authentication by Cloudflare Access failed",
      code: "access_identity_mismatch",
      userId: grant.authorization.person.oid,
      metadata: { accessIdentity: presented.perimeter.identity?.subject },
    });
  }
  return judged;
}
