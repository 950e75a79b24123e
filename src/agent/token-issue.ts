import { addSeconds, type EpochSeconds, earlier } from "../core/time.ts";
import { open, seal } from "../crypto/box.ts";
import { sha256 } from "../crypto/hash.ts";
import { mintToken } from "../crypto/token.ts";
import { revokeToken } from "../oauth/grant/access.ts";
import { type CodeProblem, redeemCode } from "../oauth/grant/code.ts";
import { ACCESS_LIFETIME_SECONDS, type Authorization, REFRESH_IDLE_SECONDS } from "../oauth/grant/grant.ts";
import { type RefreshProblem, rotateRefresh } from "../oauth/grant/refresh.ts";
import type { About, MicrosoftProblem, RedeemCode, RefreshTokens, RevokeToken, TokenAnswer } from "../oauth/grants.ts";
import { isOurResource } from "../oauth/resource.ts";
import { commit, factsOf } from "./audit.ts";
import type { AgentContext } from "./context.ts";

/** RFC 6749 §4.1.3: a code for tokens. Microsoft is not asked. */
export async function issueForCode(input: RedeemCode, context: AgentContext): Promise<TokenAnswer<CodeProblem>> {
  const fresh = await drawTokens(input, context);
  const outcome = commit(redeemCode(context.store.grant(), { ...input, ...fresh }, context.now()), context);
  if (outcome.kind === "refused") return outcome;
  const { authorization } = outcome;
  return issue("OAuth code redeemed", fresh, authorization, authorization.scopes, context);
}

/** RFC 6749 §6: tokens for a refresh token, after making sure that Microsoft still knows the person. */
export async function issueForRefresh(
  input: RefreshTokens,
  context: AgentContext,
): Promise<TokenAnswer<RefreshProblem | MicrosoftProblem>> {
  const fresh = await drawTokens(input, context);
  // Opens only with the text of the token before: storage and our key together do not reveal the successor.
  const place = ["successor", input.gid, "successor", input.refreshToken] as const;
  const presented = {
    ...input,
    ...fresh,
    refreshHash: await sha256(input.refreshToken),
    successorHash: fresh.refreshHash,
    successorExpiresAt: fresh.refreshExpiresAt,
    successorBox: await seal(context.keys, place, fresh.refreshToken),
  };
  const judge = () => rotateRefresh(context.store.grant(), presented, context.now());
  // What would be refused anyway never gets as far as Entra; and nothing rotates before Entra has agreed.
  if (judge().outcome.kind !== "refused") {
    const microsoft = await context.microsoft.accessToken(context);
    if (!microsoft.ok) return { kind: "refused", ...microsoft.error };
  }
  const outcome = commit(judge(), context);
  if (outcome.kind === "refused") return outcome;
  let { refreshToken } = fresh;
  if (outcome.kind === "repeated") {
    const successor = await open(context.keys, place, outcome.successorBox);
    // The key that sealed it is gone: the client signs in again.
    if (successor === undefined) return { kind: "refused", reason: "refresh_unknown" };
    refreshToken = successor;
  }
  const { authorization, scopes } = outcome;
  return issue("OAuth tokens refreshed", { ...fresh, refreshToken }, authorization, scopes, context);
}

type FreshTokens = Awaited<ReturnType<typeof drawTokens>>;

/** Drawn and hashed before the check, so that nothing is awaited between check and write. */
async function drawTokens({ gid, origin }: About, { keys, store, now }: AgentContext) {
  const grant = store.grant();
  // Without an authorization nothing is issued, whatever was drawn.
  const end = grant && "authorization" in grant ? grant.authorization.expiresAt : now();
  const draw = async (kind: "m365a" | "m365r", lifetimeSeconds: number) => {
    const expiresAt: EpochSeconds = earlier(addSeconds(now(), lifetimeSeconds), end);
    const { text } = await mintToken(keys, kind, gid, expiresAt);
    return [text, expiresAt, await sha256(text)] as const;
  };
  const [accessToken, accessExpiresAt, accessHash] = await draw("m365a", ACCESS_LIFETIME_SECONDS);
  const [refreshToken, refreshExpiresAt, refreshHash] = await draw("m365r", REFRESH_IDLE_SECONDS);
  const isResourceAccepted = (granted: string) => isOurResource(granted, origin);
  return {
    accessToken,
    accessExpiresAt,
    accessHash,
    refreshToken,
    refreshExpiresAt,
    refreshHash,
    isResourceAccepted,
  };
}

function issue(
  message: "OAuth code redeemed" | "OAuth tokens refreshed",
  { accessToken, accessExpiresAt, refreshToken }: FreshTokens,
  authorization: Authorization,
  scopes: Authorization["scopes"],
  { now, log }: AgentContext,
): TokenAnswer<never> {
  log({ level: "INFO", message, userId: authorization.person.oid });
  const response = {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: accessExpiresAt - now(),
    refresh_token: refreshToken,
    scope: scopes.join(" "),
  } as const;
  return { kind: "issued", response, authorization };
}

/** RFC 7009 §2.1. What belongs to another client, or is unknown, stays as it is. */
export function revokeIssued(input: RevokeToken, context: AgentContext): void {
  const grant = context.store.grant();
  if (commit(revokeToken(grant, input), context) === "access_removed" && grant?.state === "active") {
    context.log({ level: "INFO", message: "OAuth token revoked", ...factsOf(grant.authorization) });
  }
}
