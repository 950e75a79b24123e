import { DurableObject } from "cloudflare:workers";
import { type Config, type Env, logLevel, readConfig } from "../config.ts";
import { epochSeconds } from "../core/time.ts";
import type { CallOutcome } from "../mcp/call.ts";
import { tokenKeys } from "../oauth/context.ts";
import { expireGrant } from "../oauth/grant/end.ts";
import type {
  BeginLogin,
  CompleteLogin,
  EndGrant,
  GrantObject,
  RedeemCode,
  RefreshTokens,
  RevokeToken,
  Trace,
} from "../oauth/grants.ts";
import { createLog } from "../observe/log.ts";
import type { AgentContext } from "./context.ts";
import { GrantStore } from "./grant-store.ts";
import { MicrosoftSession } from "./microsoft-session.ts";
import { finishLogin, startLogin } from "./sign-in.ts";
import { issueForCode, issueForRefresh, revokeIssued } from "./token-issue.ts";
import { type CallInput, runCall } from "./tool-call.ts";

/** Every input says whose grant it is and which request it belongs to. */
type Input<Operation> = Operation & { readonly gid: string; readonly trace: Trace };

/** One object per grant, named `grant:<gid>`: everything that must be consistent about it happens here. */
export class MicrosoftMCPAgent extends DurableObject<Env> implements GrantObject {
  readonly #store: GrantStore;
  readonly #microsoft = new MicrosoftSession();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new GrantStore(ctx.storage);
  }

  async beginLogin(input: BeginLogin) {
    return startLogin(input, await this.#context(input));
  }

  async completeLogin(input: CompleteLogin) {
    return finishLogin(input, await this.#context(input));
  }

  async redeemCode(input: RedeemCode) {
    return issueForCode(input, await this.#context(input));
  }

  async refreshTokens(input: RefreshTokens) {
    return issueForRefresh(input, await this.#context(input));
  }

  async revokeToken(input: RevokeToken) {
    return revokeIssued(input, await this.#context(input));
  }

  async endGrant(input: EndGrant) {
    const context = await this.#context(input);
    context.store.end("revoked");
    context.log({ level: "INFO", message: "OAuth grant ended", code: "revoked" });
  }

  async call(input: Input<CallInput>): Promise<CallOutcome> {
    return runCall(input, await this.#context(input));
  }

  /** Alarms may be late or come twice; the clock decides what is left, and nothing left is nothing stored. */
  override async alarm(): Promise<void> {
    const grant = this.#store.grant();
    if (grant === undefined) return;
    const now = epochSeconds(this.clock());
    this.#store.commit({ next: expireGrant(grant, now), outcome: undefined });
    this.#store.keepAlarm();
  }

  /** Milliseconds since the epoch; tests stand elsewhere in time. */
  protected clock(): number {
    return Date.now();
  }

  async #context({ gid, trace }: Input<unknown>): Promise<AgentContext> {
    const config = this.#config();
    const clock = () => this.clock();
    return {
      gid,
      requestId: trace.requestId,
      config,
      keys: await tokenKeys(config),
      store: this.#store,
      microsoft: this.#microsoft,
      ai: this.env.AI,
      log: createLog({ ...trace, minimumLevel: logLevel(this.env), clock }),
      clock,
      now: () => epochSeconds(clock()),
    };
  }

  /** The Worker checks the configuration before it calls, so a problem here is a fault. */
  #config(): Config {
    const config = readConfig(this.env);
    if (!config.ok) throw new Error(`configuration: ${config.error.keys.join(", ")}`);
    return config.value;
  }
}
