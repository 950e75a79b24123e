import { type EpochSeconds, later } from "../../core/time.ts";
import type { Ended, EndReason, Grant } from "./grant.ts";

/** Ends a grant from any state. Everything it held goes; a marker stays while its form could be posted again. */
export function endGrant(grant: Grant, reason: EndReason): Ended {
  return grant.state === "ended" ? grant : { state: "ended", reason, formExpiresAt: grant.formExpiresAt };
}

/** When time alone will next change the grant. */
export function deadline(grant: Grant): EpochSeconds {
  switch (grant.state) {
    case "pending":
    case "exchanging":
      return later(grant.loginExpiresAt, grant.formExpiresAt);
    case "ended":
      return grant.formExpiresAt;
    case "coded":
      return grant.code.expiresAt;
    case "active":
      return grant.access.reduce((latest, token) => later(latest, token.expiresAt), grant.refresh.expiresAt);
  }
}

/** What time leaves of a grant; undefined when nothing does. Alarms may be late or doubled, so the clock decides. */
export function expireGrant(grant: Grant, now: EpochSeconds): Grant | undefined {
  if (now < deadline(grant)) return grant;
  return now < grant.formExpiresAt ? endGrant(grant, "expired") : undefined;
}
