import { DurableObject } from "cloudflare:workers";
import { type Env, logLevel, readConfig } from "../config.ts";
import { ok } from "../core/result.ts";
import { type EpochSeconds, epochSeconds } from "../core/time.ts";
import { randomUuid } from "../crypto/random.ts";
import { Traffic } from "../graph/traffic.ts";
import type { CallOutcome, McpDeps, ProtectedCall } from "../mcp/call.ts";
import { answer, identityMismatch, signIn } from "../mcp/dispatch.ts";
import { errorReply, type Reply } from "../mcp/jsonrpc.ts";
import type { Classified } from "../mcp/revisions.ts";
import { admit, answerOn, POLICY_VIOLATION } from "../mcp/socket.ts";
import { tokenKeys } from "../oauth/context.ts";
import { expireGrant } from "../oauth/grant/end.ts";
import type {
  About,
  BeginLogin,
  CompleteLogin,
  GrantObject,
  RedeemCode,
  RefreshTokens,
  RevokeToken,
  Trace,
} from "../oauth/grants.ts";
import { createLog } from "../observe/log.ts";
import { type Access, judge, judgeCaller } from "./access.ts";
import { end } from "./audit.ts";
import type { AgentContext } from "./context.ts";
import { GrantStore } from "./grant-store.ts";
import { mcpDeps } from "./mcp-deps.ts";
import { MicrosoftSession } from "./microsoft-session.ts";
import { finishLogin, startLogin } from "./sign-in.ts";
import { type Attachment, openStream, recall, reviewStreams, STREAM_HEADER, type Stream } from "./streams.ts";
import { issueForCode, issueForRefresh, revokeIssued } from "./token-issue.ts";
import { type CallInput, runCall } from "./tool-call.ts";

/** Every input says whose grant it is and which request it belongs to. */
export type Input<Operation> = Operation & { readonly gid: string; readonly trace: Trace };

/** A message for the 2024-11-05 stream of that id. */
export interface PostInput extends Access {
  readonly sessionId: string;
  readonly message: Classified;
}

/** One object per grant, named `grant:<gid>`: everything that must be consistent about it happens here. */
export class MicrosoftMCPAgent extends DurableObject<Env> implements GrantObject {
  readonly #store: GrantStore;
  readonly #microsoft = new MicrosoftSession();
  readonly #traffic = new Traffic();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    // Every end of a token, by a person, by Microsoft or by time, comes by here and ends its streams.
    this.#store = new GrantStore(ctx.storage, (grant) => reviewStreams(ctx.getWebSockets(), grant, this.#now()));
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  async beginLogin(input: BeginLogin) {
    return startLogin(input, await this.#context(input));
  }

  async state() {
    return this.#store.grant()?.state;
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

  async endGrant(input: About) {
    return end("revoked", await this.#context(input));
  }

  async call(input: Input<CallInput>): Promise<CallOutcome> {
    return runCall(input, await this.#context(input));
  }

  /** Opens a stream. Only our Worker can ask, and it has checked the token's tag and expiry. */
  override async fetch(request: Request): Promise<Response> {
    const stream = JSON.parse(request.headers.get(STREAM_HEADER) ?? "") as Stream;
    const judged = judgeCaller(stream, await this.#context(stream));
    if (!judged.ok) return new Response(null, { status: judged.error === "unauthorized" ? 401 : 403 });
    const response = openStream(this.ctx, stream);
    this.#store.keepAlarm();
    return response;
  }

  /** MCP 2024-11-05 transports: the result goes out on the stream; what needs a status of its own comes back. */
  async post(input: Input<PostInput>): Promise<Reply | undefined> {
    const { message, sessionId } = input;
    const context = await this.#context(input);
    const judged = judgeCaller(input, context);
    const deps = depsFor(input, context);
    if (!judged.ok)
      return judged.error === "unauthorized" ? signIn(message.id, [], deps) : identityMismatch(message.id);
    const [socket] = this.ctx.getWebSockets(sessionId);
    if (socket === undefined) return errorReply(404, message.id, -32600, "This stream is not open; connect again.");
    const reply = await answer(message, deps);
    // A stream that ended meanwhile cannot carry the result of what was done, so the post does.
    if (socket.readyState !== 1 || !reply || (reply.status !== 200 && message.kind !== "refused")) return reply;
    socket.send(reply.body);
    return undefined;
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const { stream, pace } = recall(socket);
    const judged = judge(stream, this.#store.grant(), this.#now());
    const admitted = judged.ok ? admit(data, pace, this.clock()) : POLICY_VIOLATION;
    if (typeof admitted === "number") return socket.close(admitted);
    socket.serializeAttachment({ stream, pace: admitted } satisfies Attachment);
    const access = { ...stream, trace: { ...stream.trace, requestId: randomUuid() } };
    await answerOn(socket, String(data), depsFor(access, await this.#context(access)));
  }

  /** Without an answer the socket would count as open until the object sleeps. */
  override webSocketClose(socket: WebSocket): void {
    socket.close();
  }

  /** Alarms may be late or come twice; the clock decides what is left, and nothing left is nothing stored. */
  override async alarm(): Promise<void> {
    const grant = this.#store.grant();
    if (grant === undefined) return;
    this.#store.commit({ next: expireGrant(grant, this.#now()), outcome: undefined });
    this.#store.keepAlarm();
  }

  /** Milliseconds since the epoch; tests stand elsewhere in time. */
  protected clock(): number {
    return Date.now();
  }

  #now(): EpochSeconds {
    return epochSeconds(this.clock());
  }

  async #context({ gid, trace }: Input<unknown>): Promise<AgentContext> {
    const config = readConfig(this.env);
    // The Worker checks the configuration before it calls, so a problem here is a fault.
    if (!config.ok) throw new Error("configuration");
    const clock = () => this.clock();
    return {
      ...trace,
      gid,
      config: config.value,
      keys: await tokenKeys(config.value),
      store: this.#store,
      microsoft: this.#microsoft,
      traffic: this.#traffic,
      ai: this.env.AI,
      metrics: this.env.METRICS,
      log: createLog({ ...trace, minimumLevel: logLevel(this.env), clock }),
      clock,
      now: () => this.#now(),
    };
  }
}

/** What answers a message of a caller whose token was judged. */
function depsFor(access: Access, context: AgentContext): McpDeps {
  const call = (call: ProtectedCall) => runCall({ ...access, call }, context);
  return mcpDeps({ kind: "signed-in", call }, access, ok(context.config), context);
}
