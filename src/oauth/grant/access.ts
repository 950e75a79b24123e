import { equalText } from "../../core/bytes.ts";
import type { EpochSeconds } from "../../core/time.ts";
import type { GraphScope } from "../../graph/scopes.ts";
import { endGrant } from "./end.ts";
import { type AccessRecord, type Authorization, type Grant, MAX_ACCESS_TOKENS, type Transition } from "./grant.ts";

export interface AccessGrant {
  readonly authorization: Authorization;
  /** What this token may do: the grant's scopes or fewer. */
  readonly scopes: readonly GraphScope[];
}

/** A protected call: is this access token alive? Reading changes nothing. */
export function checkAccess(grant: Grant | undefined, accessHash: string, now: EpochSeconds): AccessGrant | undefined {
  if (grant?.state !== "active") return undefined;
  const record = grant.access.find((token) => equalText(token.hash, accessHash));
  if (record === undefined || now >= record.expiresAt) return undefined;
  return { authorization: grant.authorization, scopes: record.scopes };
}

/** Drops what expired, then the oldest over the bound. */
export function addAccessToken(
  tokens: readonly AccessRecord[],
  token: AccessRecord,
  now: EpochSeconds,
): readonly AccessRecord[] {
  return [...tokens.filter(({ expiresAt }) => now < expiresAt), token].slice(-MAX_ACCESS_TOKENS);
}

/**
 * RFC 7009 §2.1: a refresh token takes the grant with it, however often it was rotated since; an access token only itself;
 * foreign ones change nothing.
 */
export function revokeToken(
  grant: Grant | undefined,
  presented: { readonly isRefresh: boolean; readonly hash: string; readonly clientId: string },
): Transition<"ended" | "access_removed" | "unchanged"> {
  if (grant?.state !== "active" || grant.authorization.clientId !== presented.clientId) {
    return { next: grant, outcome: "unchanged" };
  }
  if (presented.isRefresh) return { next: endGrant(grant, "revoked"), outcome: "ended" };
  const access = grant.access.filter((token) => !equalText(token.hash, presented.hash));
  if (access.length === grant.access.length) return { next: grant, outcome: "unchanged" };
  return { next: { ...grant, access }, outcome: "access_removed" };
}
