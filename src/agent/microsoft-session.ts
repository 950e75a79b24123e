import { err, ok, type Result } from "../core/result.ts";
import { type BoxPlace, isCurrent, openValue, sealValue } from "../crypto/box.ts";
import { type EntraFailure, type MicrosoftTokens, requestEntraTokens } from "../entra/token.ts";
import type { MicrosoftProblem } from "../oauth/grants.ts";
import { end } from "./audit.ts";
import type { AgentContext } from "./context.ts";
import type { MicrosoftRecord } from "./grant-store.ts";

export interface SessionProblem {
  /** `microsoft_ended`: the grant is over. `microsoft_unavailable`: nothing changed, try again. */
  readonly reason: MicrosoftProblem;
  readonly retryAfterSeconds?: number | undefined;
}

type SealedTokens = Pick<MicrosoftTokens, "accessToken" | "refreshToken">;

const ENDED = err<SessionProblem>({ reason: "microsoft_ended" });

/** The person's Microsoft tokens, which never leave this object, and their one refresh at a time. */
export class MicrosoftSession {
  #refreshing: Promise<Result<string, SessionProblem>> | undefined;

  /**
   * An access token with at least five minutes left.
   * @param refused one that Graph did not accept: another is wanted, refreshed unless somebody else just did
   */
  async accessToken(context: AgentContext, refused?: string): Promise<Result<string, SessionProblem>> {
    /** Under this the token is refreshed first, so that it cannot end while a call is on its way. */
    const MINIMUM_SECONDS = 300;
    const { store, now } = context;
    const record = store.read("microsoft");
    if (record === undefined) return ENDED;
    const tokens = await openTokens(record, context);
    if (tokens === undefined) return ENDED;
    if (record.expiresAt - now() >= MINIMUM_SECONDS && tokens.accessToken !== refused) return ok(tokens.accessToken);
    // Opening the box took a moment, in which somebody else may have finished a refresh.
    const current = store.read("microsoft");
    if (current?.box !== record.box) return this.accessToken(context, refused);
    // All callers wait for the same refresh.
    this.#refreshing ??= refresh(current, tokens, context).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }
}

async function refresh(
  record: MicrosoftRecord,
  old: SealedTokens,
  context: AgentContext,
): Promise<Result<string, SessionProblem>> {
  /** Longer than Entra's deadline; a refresh that died with its object blocks no longer than this. */
  const LEASE_SECONDS = 30;
  const { store, config, now, log } = context;
  const retryAfterSeconds = record.leaseUntil - now();
  if (retryAfterSeconds > 0) return err({ reason: "microsoft_unavailable", retryAfterSeconds });
  if (old.refreshToken === undefined) return endSession(context);
  store.write("microsoft", { ...record, leaseUntil: now() + LEASE_SECONDS });
  const parameters = { grant_type: "refresh_token", refresh_token: old.refreshToken };
  const answer = await requestEntraTokens(config, parameters, now());
  // The grant may have been revoked while Entra was asked; its tokens must not come back.
  const isAlive = () => store.grant()?.state === "active";
  if (!answer.ok) {
    logEntraFailure(answer.error, context);
    if (answer.error.kind === "ended") return endSession(context);
    if (isAlive()) store.write("microsoft", { ...record, leaseUntil: 0 });
    return err({ reason: "microsoft_unavailable", retryAfterSeconds: answer.error.retryAfterSeconds });
  }
  // Entra may leave the refresh token out; then the old one goes on.
  const refreshToken = answer.value.refreshToken ?? old.refreshToken;
  const sealed = await sealTokens({ ...answer.value, refreshToken }, context);
  if (!isAlive()) return ENDED;
  store.write("microsoft", sealed);
  log({ level: "INFO", message: "Microsoft token refreshed" });
  return ok(answer.value.accessToken);
}

/** An expired client secret is the operator's to mend; nobody is signed out for it. */
export function logEntraFailure({ kind, error, errorCodes = [], traceId }: EntraFailure, { log }: AgentContext): void {
  const failed =
    kind === "misconfigured"
      ? ({ level: "ERROR", message: "Authentication of this server at Microsoft failed" } as const)
      : ({ level: "WARN", message: "Authentication with Microsoft failed" } as const);
  log({ ...failed, code: error, metadata: { errorCodes, traceId } });
}

/** Microsoft will not renew the sign-in, so our tokens end with it. */
export function endSession(context: AgentContext): typeof ENDED {
  end("microsoft_ended", context);
  return ENDED;
}

export async function sealTokens(
  { accessToken, refreshToken, expiresAt }: MicrosoftTokens,
  { keys, gid }: AgentContext,
): Promise<MicrosoftRecord> {
  return { box: await sealValue(keys, place(gid), { accessToken, refreshToken }), expiresAt, leaseUntil: 0 };
}

/** A key that is gone, or a box that was moved or changed, is undefined: the person signs in again. */
async function openTokens({ box }: MicrosoftRecord, context: AgentContext): Promise<SealedTokens | undefined> {
  const { keys, gid, store } = context;
  const tokens = await openValue<SealedTokens>(keys, place(gid), box);
  if (tokens !== undefined && !isCurrent(keys, box)) {
    // Key rotation happens on use, unless a refresh has just written something newer.
    const resealed = await sealValue(keys, place(gid), tokens);
    const current = store.read("microsoft");
    if (current?.box === box) store.write("microsoft", { ...current, box: resealed });
  }
  return tokens;
}

function place(gid: string): BoxPlace {
  return ["microsoft-tokens", gid, "microsoft"];
}
