import { equalText } from "../../core/bytes.ts";
import type { EpochSeconds } from "../../core/time.ts";
import type { Box } from "../../crypto/box.ts";
import type { GraphScope } from "../../graph/scopes.ts";
import { addAccessToken } from "./access.ts";
import { endGrant } from "./end.ts";
import {
  type Active,
  type Authorization,
  type Grant,
  REPLAY_WINDOW_SECONDS,
  type RefreshFamily,
  type Transition,
} from "./grant.ts";

export interface Rotation {
  /** Of a token that the Worker found to be ours, for this grant and not expired. */
  readonly refreshHash: string;
  readonly clientId: string;
  readonly isResourceAccepted: (granted: string) => boolean;
  /** RFC 6749 §6: the scopes asked for, or undefined for all that were granted. */
  readonly scopes: readonly GraphScope[] | undefined;
  readonly accessHash: string;
  readonly accessExpiresAt: EpochSeconds;
  /** The successor, drawn and sealed beforehand; used only if this rotation is the first. */
  readonly successorHash: string;
  readonly successorExpiresAt: EpochSeconds;
  readonly successorBox: Box;
}

/** The end of a grant, in which nothing is issued any more. */
const LAST_SECONDS = 60;

export type RefreshProblem =
  | "refresh_unknown"
  | "refresh_reused"
  | "client_mismatch"
  | "resource_mismatch"
  | "scope_widened";

export type RefreshOutcome =
  | { readonly kind: "rotated"; readonly scopes: readonly GraphScope[]; readonly authorization: Authorization }
  /** The answer got lost, or another process of the same client was first: the same successor again. */
  | {
      readonly kind: "repeated";
      readonly scopes: readonly GraphScope[];
      readonly authorization: Authorization;
      readonly successorBox: Box;
    }
  | { readonly kind: "refused"; readonly reason: RefreshProblem };

/** POST /token with `refresh_token`. OAuth 2.1 §4.3.1: rotation, where reuse beyond one lost answer ends the family. */
export function rotateRefresh(
  grant: Grant | undefined,
  presented: Rotation,
  now: EpochSeconds,
): Transition<RefreshOutcome> {
  const refuse = (reason: RefreshProblem, next = grant): Transition<RefreshOutcome> => ({
    next,
    outcome: { kind: "refused", reason },
  });
  if (grant?.state !== "active") return refuse("refresh_unknown");
  const { authorization } = grant;
  const { current, expiresAt, previous } = grant.refresh;
  const isCurrent = equalText(current, presented.refreshHash);
  if (isCurrent && now >= expiresAt) return refuse("refresh_unknown");
  if (authorization.clientId !== presented.clientId) return refuse("client_mismatch");
  const isRepeated =
    previous !== null &&
    equalText(previous.hash, presented.refreshHash) &&
    now <= previous.rotatedAt + REPLAY_WINDOW_SECONDS;
  // RFC 9700 §4.14.2: it was issued for this grant, so whatever else it is was spent before.
  if (!isCurrent && !isRepeated) return refuse("refresh_reused", endGrant(grant, "refresh_reused"));
  // What would be dead on arrival is not worth rotating for; the client signs in again a minute early.
  if (now > authorization.expiresAt - LAST_SECONDS) return refuse("refresh_unknown");
  if (!presented.isResourceAccepted(authorization.resource)) return refuse("resource_mismatch");
  const scopes = presented.scopes ?? authorization.scopes;
  if (scopes.some((scope) => !authorization.scopes.includes(scope))) return refuse("scope_widened");

  const token = { hash: presented.accessHash, scopes, expiresAt: presented.accessExpiresAt };
  const renewed: Active = { ...grant, access: addAccessToken(grant.access, token, now) };
  if (isRepeated) {
    const { successorBox } = previous;
    return { next: renewed, outcome: { kind: "repeated", scopes, authorization, successorBox } };
  }
  const refresh: RefreshFamily = {
    current: presented.successorHash,
    expiresAt: presented.successorExpiresAt,
    previous: { hash: presented.refreshHash, rotatedAt: now, successorBox: presented.successorBox },
  };
  return { next: { ...renewed, refresh }, outcome: { kind: "rotated", scopes, authorization } };
}
