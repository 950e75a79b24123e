import { addSeconds, type EpochSeconds, earlier } from "../core/time.ts";
import { type Box, type BoxPlace, open, seal } from "../crypto/box.ts";
import { sha256 } from "../crypto/hash.ts";
import { mintToken, type Token } from "../crypto/token.ts";
import { revokeToken } from "../oauth/grant/access.ts";
import { type CodeProblem, redeemCode } from "../oauth/grant/code.ts";
import { ACCESS_LIFETIME_SECONDS, type Authorization, type Grant, REFRESH_IDLE_SECONDS } from "../oauth/grant/grant.ts";
import { type RefreshProblem, rotateRefresh } from "../oauth/grant/refresh.ts";
import type { MicrosoftProblem, RedeemCode, RefreshTokens, RevokeToken, TokenAnswer } from "../oauth/grants.ts";
import { computeChallenge } from "../oauth/pkce.ts";
import { isOurResource } from "../oauth/resource.ts";
import { commit } from "./audit.ts";
import type { AgentContext } from "./context.ts";

/** Tokens drawn and hashed before the check, so that nothing is awaited between check and write. */
interface FreshTokens {
  readonly access: Token;
  readonly accessHash: string;
  readonly refresh: Token;
  readonly refreshHash: string;
}

/** RFC 6749 §4.1.3: a code for tokens. Microsoft is not asked. */
export async function issueForCode(input: RedeemCode, context: AgentContext): Promise<TokenAnswer<CodeProblem>> {
  const fresh = await drawTokens(context);
  const presented = {
    codeHash: await sha256(input.code),
    clientId: input.clientId,
    redirectUri: input.redirectUri,
    isResourceAccepted: (granted: string) => isOurResource(granted, input.origin),
    computedChallenge: await computeChallenge(input.codeVerifier),
    accessHash: fresh.accessHash,
    accessExpiresAt: fresh.access.expiresAt,
    refreshHash: fresh.refreshHash,
    refreshExpiresAt: fresh.refresh.expiresAt,
  };
  const outcome = commit(redeemCode(context.store.grant(), presented, context.now()), context);
  if (outcome.kind === "refused") return outcome;
  context.log({ level: "INFO", message: "OAuth code redeemed", userId: outcome.authorization.person.oid });
  return issued(fresh.access, fresh.refresh.text, outcome.authorization, outcome.authorization.scopes, context);
}

/** RFC 6749 §6: tokens for a refresh token, after making sure that Microsoft still knows the person. */
export async function issueForRefresh(
  input: RefreshTokens,
  context: AgentContext,
): Promise<TokenAnswer<RefreshProblem | MicrosoftProblem>> {
  const fresh = await drawTokens(context);
  const presented = {
    refreshHash: await sha256(input.refreshToken),
    clientId: input.clientId,
    isResourceAccepted: (granted: string) => isOurResource(granted, input.origin),
    scopes: input.scopes,
    accessHash: fresh.accessHash,
    accessExpiresAt: fresh.access.expiresAt,
    successorHash: fresh.refreshHash,
    successorExpiresAt: fresh.refresh.expiresAt,
    successorBox: await seal(context.keys, successorPlace(context.gid, input.refreshToken), fresh.refresh.text),
  };
  // What would be refused anyway never gets as far as Entra; and nothing rotates before Entra has agreed.
  const rehearsal = rotateRefresh(context.store.grant(), presented, context.now());
  if (rehearsal.outcome.kind !== "refused") {
    const microsoft = await context.microsoft.accessToken(context);
    if (!microsoft.ok) return { kind: "refused", ...microsoft.error };
  }
  const outcome = commit(rotateRefresh(context.store.grant(), presented, context.now()), context);
  if (outcome.kind === "refused") return outcome;
  context.log({ level: "INFO", message: "OAuth tokens refreshed", userId: outcome.authorization.person.oid });
  const refreshText =
    outcome.kind === "rotated"
      ? fresh.refresh.text
      : await openSuccessor(outcome.successorBox, input.refreshToken, context);
  // The key that sealed it is gone: the client signs in again.
  if (refreshText === undefined) return { kind: "refused", reason: "refresh_unknown" };
  return issued(fresh.access, refreshText, outcome.authorization, outcome.scopes, context);
}

async function drawTokens(context: AgentContext): Promise<FreshTokens> {
  const now = context.now();
  const end = grantEnd(context.store.grant(), now);
  const accessEnd = earlier(addSeconds(now, ACCESS_LIFETIME_SECONDS), end);
  const refreshEnd = earlier(addSeconds(now, REFRESH_IDLE_SECONDS), end);
  const [access, refresh] = await Promise.all([
    mintToken(context.keys, "m365a", context.gid, accessEnd),
    mintToken(context.keys, "m365r", context.gid, refreshEnd),
  ]);
  const [accessHash, refreshHash] = await Promise.all([sha256(access.text), sha256(refresh.text)]);
  return { access, accessHash, refresh, refreshHash };
}

function grantEnd(grant: Grant | undefined, now: EpochSeconds): EpochSeconds {
  return grant?.state === "coded" || grant?.state === "active" ? grant.authorization.expiresAt : now;
}

async function openSuccessor(box: Box, presented: string, context: AgentContext): Promise<string | undefined> {
  return open(context.keys, successorPlace(context.gid, presented), box);
}

/** Opens only with the text of the token before: storage and our key together do not reveal the successor. */
function successorPlace(gid: string, predecessor: string): BoxPlace {
  return ["successor", gid, "successor", predecessor];
}

function issued(
  access: Token,
  refreshToken: string,
  authorization: Authorization,
  scopes: Authorization["scopes"],
  context: AgentContext,
): TokenAnswer<never> {
  return {
    kind: "issued",
    accessToken: access.text,
    refreshToken,
    expiresInSeconds: access.expiresAt - context.now(),
    scopes,
    authorization,
  };
}

/** RFC 7009 §2.1. What belongs to another client, or is unknown, stays as it is. */
export async function revokeIssued(input: RevokeToken, context: AgentContext): Promise<void> {
  const presented = { hash: await sha256(input.token), clientId: input.clientId };
  const outcome = commit(revokeToken(context.store.grant(), presented), context);
  if (outcome === "access_removed") {
    context.log({ level: "INFO", message: "OAuth token revoked", metadata: { clientId: input.clientId } });
  }
}
