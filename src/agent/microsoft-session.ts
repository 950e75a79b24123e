import { err, ok, type Result } from "../core/result.ts";
import { type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { type EntraFailure, type MicrosoftTokens, refreshEntraTokens } from "../entra/token.ts";
import { end } from "./audit.ts";
import type { AgentContext } from "./context.ts";
import type { MicrosoftRecord } from "./grant-store.ts";

/** Under this the token is refreshed first, so that it cannot end while a call is on its way. */
const MINIMUM_SECONDS = 300;
/** Longer than Entra's deadline; a refresh that died with its object blocks no longer than this. */
const LEASE_SECONDS = 30;

export interface SessionProblem {
  /** `ended`: the grant is over. `unavailable`: nothing changed, try again. */
  readonly kind: "ended" | "unavailable";
  readonly retryAfterSeconds: number | undefined;
}

type SealedTokens = Pick<MicrosoftTokens, "accessToken" | "refreshToken" | "scopes">;

/** The person's Microsoft tokens, which never leave this object, and their one refresh at a time. */
export class MicrosoftSession {
  #refreshing: Promise<Result<string, SessionProblem>> | undefined;

  /** An access token with at least five minutes left. */
  async accessToken(context: AgentContext): Promise<Result<string, SessionProblem>> {
    const record = context.store.microsoft();
    if (record === undefined) return err({ kind: "ended", retryAfterSeconds: undefined });
    if (record.expiresAt - context.now() < MINIMUM_SECONDS) return this.#refreshOnce(context);
    const tokens = await openTokens(record, context);
    return tokens.ok ? ok(tokens.value.accessToken) : tokens;
  }

  /** Graph refused this token: another one, refreshed unless somebody else just did. */
  async replaceToken(refused: string, context: AgentContext): Promise<Result<string, SessionProblem>> {
    const before = context.store.microsoft()?.box;
    const current = await this.accessToken(context);
    if (!current.ok || current.value !== refused) return current;
    // Opening the box took a moment, in which somebody else may have finished a refresh.
    return context.store.microsoft()?.box === before ? this.#refreshOnce(context) : this.accessToken(context);
  }

  /** All callers wait for the same refresh. */
  #refreshOnce(context: AgentContext): Promise<Result<string, SessionProblem>> {
    this.#refreshing ??= refresh(context).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }
}

async function refresh(context: AgentContext): Promise<Result<string, SessionProblem>> {
  const { store } = context;
  const record = store.microsoft();
  if (record === undefined) return err({ kind: "ended", retryAfterSeconds: undefined });
  const leaseLeft = record.leaseUntil - context.now();
  if (leaseLeft > 0) return err({ kind: "unavailable", retryAfterSeconds: leaseLeft });
  store.saveMicrosoft({ ...record, leaseUntil: context.now() + LEASE_SECONDS });

  const old = await openTokens(record, context);
  if (!old.ok) return old;
  if (old.value.refreshToken === undefined) return endSession(context);
  const answer = await refreshEntraTokens(context.config, old.value.refreshToken, context.now());
  if (!answer.ok) return readFailure(answer.error, record, context);
  // Entra may leave the refresh token out; then the old one goes on.
  const tokens = { ...answer.value, refreshToken: answer.value.refreshToken ?? old.value.refreshToken };
  const sealed = await sealTokens(tokens, context);
  // The grant may have been revoked while Entra was asked; its tokens must not come back.
  if (!isAlive(context)) return err({ kind: "ended", retryAfterSeconds: undefined });
  store.saveMicrosoft(sealed);
  context.log({ level: "INFO", message: "Microsoft token refreshed" });
  return ok(tokens.accessToken);
}

function readFailure(
  failure: EntraFailure,
  record: MicrosoftRecord,
  context: AgentContext,
): Result<never, SessionProblem> {
  logEntraFailure(failure, context);
  if (failure.kind === "ended") return endSession(context);
  if (isAlive(context)) context.store.saveMicrosoft({ ...record, leaseUntil: 0 });
  return err({ kind: "unavailable", retryAfterSeconds: failure.retryAfterSeconds });
}

/** An expired client secret is the operator's to mend; nobody is signed out for it. */
export function logEntraFailure(failure: Omit<EntraFailure, "retryAfterSeconds">, context: AgentContext): void {
  const { kind, error, errorCodes, traceId } = failure;
  const details = { code: error, metadata: { errorCodes, traceId } };
  if (kind === "misconfigured") {
    context.log({ level: "ERROR", message: "Authentication of this server at Microsoft failed", ...details });
  } else {
    context.log({ level: "WARN", message: "Authentication with Microsoft failed", ...details });
  }
}

/** Microsoft will not renew the sign-in, so our tokens end with it. */
export function endSession(context: AgentContext): Result<never, SessionProblem> {
  end("microsoft_ended", context);
  return err({ kind: "ended", retryAfterSeconds: undefined });
}

function isAlive(context: AgentContext): boolean {
  return context.store.grant()?.state === "active";
}

export async function sealTokens(tokens: MicrosoftTokens, context: AgentContext): Promise<MicrosoftRecord> {
  const { accessToken, refreshToken, scopes } = tokens;
  const box = await sealValue(context.keys, place(context.gid), { accessToken, refreshToken, scopes });
  return { box, expiresAt: tokens.expiresAt, leaseUntil: 0 };
}

async function openTokens(
  record: MicrosoftRecord,
  context: AgentContext,
): Promise<Result<SealedTokens, SessionProblem>> {
  const opened = await openValue<SealedTokens>(context.keys, place(context.gid), record.box);
  // A key that is gone, or a box that was moved or changed: the person signs in again.
  if (!opened.ok) return err({ kind: "ended", retryAfterSeconds: undefined });
  const { value, isPreviousKey } = opened.value;
  if (isPreviousKey) await resealTokens(record, value, context);
  return ok(value);
}

/** Key rotation happens on use, unless a refresh has just written something newer. */
async function resealTokens(record: MicrosoftRecord, tokens: SealedTokens, context: AgentContext): Promise<void> {
  const box = await sealValue(context.keys, place(context.gid), tokens);
  const current = context.store.microsoft();
  if (current?.box === record.box) context.store.saveMicrosoft({ ...current, box });
}

function place(gid: string): BoxPlace {
  return { purpose: "microsoft-tokens", owner: gid, column: "microsoft" };
}
