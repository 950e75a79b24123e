import { equalText } from "../../core/bytes.ts";
import type { EpochSeconds } from "../../core/time.ts";
import type { Box } from "../../crypto/box.ts";
import { endGrant } from "./end.ts";
import { type Authorization, type Coded, type Grant, MAX_FAILURES, type Pending, type Transition } from "./grant.ts";

export type BeginOutcome =
  | { readonly kind: "started" }
  /** The same browser posted the same form again while the login waits: lead it on. */
  | { readonly kind: "already_started"; readonly loginBox: Box }
  | { readonly kind: "used" };

/** POST /authorize, approved. One form starts one login, however often it is posted. */
export function beginLogin(grant: Grant | undefined, fresh: Pending): Transition<BeginOutcome> {
  if (grant === undefined) return { next: fresh, outcome: { kind: "started" } };
  if (grant.state === "pending" && equalText(grant.formCookieHash, fresh.formCookieHash)) {
    return { next: grant, outcome: { kind: "already_started", loginBox: grant.loginBox } };
  }
  return { next: grant, outcome: { kind: "used" } };
}

export type ClaimOutcome =
  | { readonly kind: "claimed"; readonly loginBox: Box }
  | { readonly kind: "refused"; readonly reason: "login_unknown" | "login_over" | "browser_mismatch" };

/**
 * GET /callback. Claimed before Entra is asked, so the exchange happens once; should it fail, no code exists yet and
 * nothing is lost.
 */
export function claimLogin(
  grant: Grant | undefined,
  presented: { readonly stateHash: string; readonly loginCookieHash: string },
  now: EpochSeconds,
): Transition<ClaimOutcome> {
  if (grant === undefined) return { next: grant, outcome: { kind: "refused", reason: "login_unknown" } };
  if (grant.state !== "pending" || now >= grant.loginExpiresAt) {
    return { next: grant, outcome: { kind: "refused", reason: "login_over" } };
  }
  if (!equalText(grant.stateHash, presented.stateHash)) {
    return { next: grant, outcome: { kind: "refused", reason: "login_unknown" } };
  }
  // RFC 6749 §10.12: the login belongs to the browser that approved it.
  if (!equalText(grant.loginCookieHash, presented.loginCookieHash)) {
    const wrongBrowsers = grant.wrongBrowsers + 1;
    const next = wrongBrowsers < MAX_FAILURES ? { ...grant, wrongBrowsers } : endGrant(grant, "signin_failed");
    return { next, outcome: { kind: "refused", reason: "browser_mismatch" } };
  }
  const next: Grant = {
    state: "exchanging",
    formExpiresAt: grant.formExpiresAt,
    loginExpiresAt: grant.loginExpiresAt,
  };
  return { next, outcome: { kind: "claimed", loginBox: grant.loginBox } };
}

/** Entra answered and the person is known: the client gets a code. */
export function completeLogin(
  grant: Grant | undefined,
  login: { readonly authorization: Authorization; readonly code: Omit<Coded["code"], "failures"> },
): Transition<{ readonly kind: "coded" | "login_over" }> {
  if (grant?.state !== "exchanging") return { next: grant, outcome: { kind: "login_over" } };
  const next: Coded = {
    state: "coded",
    formExpiresAt: grant.formExpiresAt,
    authorization: login.authorization,
    code: { ...login.code, failures: 0 },
  };
  return { next, outcome: { kind: "coded" } };
}
