import { equalText } from "../../core/bytes.ts";
import type { EpochSeconds } from "../../core/time.ts";
import { endGrant } from "./end.ts";
import {
  type Active,
  type Authorization,
  type Code,
  type Coded,
  type Grant,
  MAX_FAILURES,
  type Transition,
} from "./grant.ts";

/** What a client presents at /token, hashed and transformed outside. */
export interface Redemption {
  readonly codeHash: string;
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  /** Whether the `resource` of the request, if any, names what the grant is for. */
  readonly isResourceAccepted: (granted: string) => boolean;
  /** RFC 7636 §4.6: BASE64URL(SHA256(code_verifier)). */
  readonly computedChallenge: string;
  readonly accessHash: string;
  readonly accessExpiresAt: EpochSeconds;
  readonly refreshHash: string;
  readonly refreshExpiresAt: EpochSeconds;
}

export type CodeProblem =
  | "code_unknown"
  | "code_expired"
  | "client_mismatch"
  | "redirect_mismatch"
  | "resource_mismatch"
  | "verifier_mismatch"
  | "code_burned"
  | "code_replayed";

export type RedeemOutcome =
  | { readonly kind: "redeemed"; readonly authorization: Authorization }
  | { readonly kind: "refused"; readonly reason: CodeProblem };

/** POST /token with `authorization_code`. A failed check leaves the code; a second success ends the grant. */
export function redeemCode(
  grant: Grant | undefined,
  presented: Redemption,
  now: EpochSeconds,
): Transition<RedeemOutcome> {
  const refuse = (reason: CodeProblem, next = grant): Transition<RedeemOutcome> => ({
    next,
    outcome: { kind: "refused", reason },
  });
  if (grant === undefined || (grant.state !== "coded" && grant.state !== "active")) return refuse("code_unknown");
  if (!equalText(grant.code.hash, presented.codeHash)) return refuse("code_unknown");
  if (now >= grant.code.expiresAt) return refuse("code_expired");

  const problem = checkBinding(grant, presented);
  if (problem !== undefined) {
    const failures = grant.code.failures + 1;
    if (failures >= MAX_FAILURES && grant.state === "coded")
      return refuse("code_burned", endGrant(grant, "code_burned"));
    const code: Code = { ...grant.code, failures };
    return refuse(problem, { ...grant, code });
  }
  // RFC 6749 §10.5: a second use of a code revokes what the first use issued.
  if (grant.state === "active") return refuse("code_replayed", endGrant(grant, "code_replayed"));

  const { authorization } = grant;
  const access = { hash: presented.accessHash, scopes: authorization.scopes, expiresAt: presented.accessExpiresAt };
  const next: Active = {
    ...grant,
    state: "active",
    refresh: { current: presented.refreshHash, expiresAt: presented.refreshExpiresAt, previous: null },
    access: [access],
  };
  return { next, outcome: { kind: "redeemed", authorization } };
}

function checkBinding(grant: Coded | Active, presented: Redemption): CodeProblem | undefined {
  const { authorization, code } = grant;
  // RFC 6749 §4.1.3: the code was issued to this client.
  if (authorization.clientId !== presented.clientId) return "client_mismatch";
  // OAuth 2.1 §4.1.3 no longer asks for redirect_uri; when it is sent it must be the one of the request.
  if (presented.redirectUri !== undefined && presented.redirectUri !== authorization.redirectUri)
    return "redirect_mismatch";
  if (!presented.isResourceAccepted(authorization.resource)) return "resource_mismatch";
  if (!equalText(code.challenge, presented.computedChallenge)) return "verifier_mismatch";
  return undefined;
}
