// A grant's calls under Node: the real run of a tool, between a made-up AI binding and the Graph simulator.
import assert from "node:assert/strict";
import { type GraphSimulator, startGraph } from "../../fixtures/graph/server.ts";
import type { Json, JsonObject } from "../../fixtures/graph/types.ts";
import { ADA, type Person, TENANT_ID } from "../../fixtures/people.ts";
import type { AgentContext } from "../../src/agent/context.ts";
import { runCall } from "../../src/agent/tool-call.ts";
import type { Usage } from "../../src/agent/usage.ts";
import type { Config } from "../../src/config.ts";
import { err, ok } from "../../src/core/result.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { GRAPH_SCOPES, type GraphScope } from "../../src/graph/scopes.ts";
import { Traffic } from "../../src/graph/traffic.ts";
import type { CallOutcome, ProtectedCall } from "../../src/mcp/call.ts";
import { tokenKeys } from "../../src/oauth/context.ts";
import type { Active } from "../../src/oauth/grant/grant.ts";
import type { LogEvent } from "../../src/observe/events.ts";
import { testConfig } from "../environment.ts";

/** Monday, 10 o'clock in Zagreb. */
export const NOW = Date.parse("2026-03-02T09:00:00Z");
export const ORIGIN = "https://mcp.contoso.example";
const TOKEN = "token-of-the-client";

export interface AiCall {
  readonly model: string;
  readonly inputs: { method: string; path: string; headers: Record<string, string>; body?: unknown };
  readonly options: Record<string, unknown> & { gateway: Record<string, unknown>; signal: AbortSignal };
}

export interface LabOptions {
  readonly scopes?: readonly GraphScope[];
  readonly person?: Person;
  readonly email?: string;
  readonly gid?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly withoutAi?: boolean;
}

export interface Reached {
  readonly text: string;
  readonly texts: readonly string[];
  readonly structured: JsonObject;
  readonly isError: boolean;
}

export class Lab {
  readonly graph: GraphSimulator;
  readonly calls: AiCall[] = [];
  readonly patches: { logId: string; data: unknown }[] = [];
  readonly events: LogEvent[] = [];
  /** What METRICS was given. */
  readonly points: AnalyticsEngineDataPoint[] = [];
  /** Answers instead of the simulator, first in, first out. */
  readonly answers: ((call: AiCall) => unknown)[] = [];
  nowMs = NOW;
  token = "microsoft-token";
  refreshes = 0;
  readonly #traffic = new Traffic();
  #usage: Usage | undefined;
  #grant: Active | undefined;
  readonly #options: LabOptions;
  readonly #config: Config;
  #logIds = 0;
  #requests = 0;

  private constructor(graph: GraphSimulator, grant: Active, options: LabOptions, config: Config) {
    this.graph = graph;
    this.#grant = grant;
    this.#options = options;
    this.#config = config;
  }

  static async start(options: LabOptions = {}): Promise<Lab> {
    const { person = ADA, scopes = GRAPH_SCOPES } = options;
    const graph = await startGraph({
      now: () => NOW,
      tokens: (token) =>
        token === "microsoft-token" ? { person, scopes: [...scopes], expiresAt: NOW / 1000 + 3600 } : undefined,
    });
    const now = epochSeconds(NOW);
    const end = epochSeconds(NOW + 90 * 86_400_000);
    const grant: Active = {
      state: "active",
      formExpiresAt: now,
      code: { hash: "", challenge: "", expiresAt: now, failures: 0 },
      refresh: { current: "", expiresAt: end, previous: null },
      access: [{ hash: await sha256(TOKEN), scopes, expiresAt: end }],
      authorization: {
        clientId: "client-1",
        redirectUri: "https://client.example/cb",
        resource: `${ORIGIN}/mcp`,
        scopes,
        person: { tid: TENANT_ID, oid: person.oid, name: person.name, email: options.email ?? person.email },
        accessIdentity: null,
        createdAt: now,
        expiresAt: end,
      },
    };
    return new Lab(graph, grant, options, testConfig(options.env));
  }

  /** A call as the grant's object runs it. */
  async outcome(
    call: Partial<ProtectedCall> & { name: string },
    requestId = this.#nextRequestId(),
  ): Promise<CallOutcome> {
    const context = await this.#context(requestId);
    const protectedCall: ProtectedCall = { kind: "tool", arguments: {}, ...call };
    const perimeter = { identity: undefined, isRequired: false };
    return runCall({ origin: ORIGIN, accessHash: await sha256(TOKEN), perimeter, call: protectedCall }, context);
  }

  async call(name: string, args: unknown = {}, requestId?: string): Promise<Reached> {
    const outcome = await this.outcome({ name, arguments: args }, requestId);
    assert.equal(outcome.kind, "done", JSON.stringify(outcome));
    assert.ok(outcome.kind === "done");
    const result = outcome.result as { content: { text: string }[]; structuredContent: JsonObject; isError?: true };
    const texts = result.content.map(({ text }) => text);
    return { text: texts[0] ?? "", texts, structured: result.structuredContent, isError: result.isError === true };
  }

  /** A call that has to work. */
  async good(name: string, args: unknown = {}): Promise<Reached> {
    const reached = await this.call(name, args);
    assert.equal(reached.isError, false, reached.text);
    return reached;
  }

  /** The `error` of a call that has to fail. */
  async bad(name: string, args: unknown = {}): Promise<JsonObject & { readonly text: string }> {
    const reached = await this.call(name, args);
    assert.equal(reached.isError, true, reached.text);
    const { error } = reached.structured;
    assert.ok(typeof error === "object" && error !== null && !Array.isArray(error));
    return { ...error, text: reached.text };
  }

  /** What Graph was asked, as `METHOD /path?query` decoded below the version. */
  get asked(): string[] {
    return this.graph.requests.map(
      ({ method, target }) => `${method} ${decodeURIComponent(target).replace("/v1.0", "")}`,
    );
  }

  lastBody(): JsonObject {
    const { body } = this.graph.requests.at(-1) ?? {};
    return body as JsonObject;
  }

  reset(): void {
    this.graph.reset();
    this.calls.length = 0;
    this.events.length = 0;
    this.points.length = 0;
    this.patches.length = 0;
    this.answers.length = 0;
    this.refreshes = 0;
    this.token = "microsoft-token";
  }

  close(): Promise<void> {
    return this.graph.close();
  }

  #nextRequestId(): string {
    this.#requests += 1;
    return `00000000-0000-4000-8000-${String(this.#requests).padStart(12, "0")}`;
  }

  async #context(requestId: string): Promise<AgentContext> {
    return {
      metrics: { writeDataPoint: (point) => void this.points.push(point ?? {}) },
      clientType: "unknown",
      gid: this.#options.gid ?? "AAAAAAAAAAAAAAAAAAAAAA",
      requestId,
      config: this.#config,
      keys: await tokenKeys(this.#config),
      store: {
        grant: () => this.#grant,
        read: () => this.#usage,
        write: (_name: "usage", usage: Usage) => {
          this.#usage = usage;
        },
        end: () => {
          this.#grant = undefined;
        },
        commit: () => {
          this.#grant = undefined;
        },
      } as unknown as AgentContext["store"],
      microsoft: {
        accessToken: async (_context: AgentContext, refused?: string) => {
          if (this.token === "") return err({ reason: "microsoft_unavailable", retryAfterSeconds: 7 });
          if (refused !== undefined) {
            this.refreshes += 1;
            this.token = "microsoft-token";
          }
          return ok(this.token);
        },
      } as unknown as AgentContext["microsoft"],
      traffic: this.#traffic,
      ai: this.#options.withoutAi ? undefined : this.#ai(),
      log: (event) => this.events.push(event),
      clock: () => this.nowMs,
      now: () => epochSeconds(this.nowMs),
    };
  }

  #ai(): NonNullable<AgentContext["ai"]> {
    return {
      aiGatewayLogId: "shared-log-id",
      run: async (model, inputs, options) => {
        const call = { model, inputs, options } as AiCall;
        this.calls.push(call);
        const scripted = this.answers.shift();
        if (scripted !== undefined) return scripted(call);
        this.#logIds += 1;
        const { method, path, headers, body } = call.inputs;
        const answer = await fetch(this.graph.origin + path, {
          method,
          headers,
          signal: call.options.signal,
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        const marked = new Headers(answer.headers);
        marked.set("cf-aig-log-id", `log-${this.#logIds}`);
        return new Response(answer.status === 204 ? null : answer.body, { status: answer.status, headers: marked });
      },
      gateway: () => ({
        getUrl: async (provider) => `https://gateway.example/v1/a/g/${provider}`,
        patchLog: async (logId, data) => void this.patches.push({ logId, data }),
      }),
    };
  }
}

/** The list of a result, as objects. */
export function listOf(structured: JsonObject, name: string): JsonObject[] {
  const list = structured[name];
  assert.ok(Array.isArray(list), `${name} is no list in ${JSON.stringify(structured).slice(0, 200)}`);
  return list as JsonObject[];
}

export function member(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  return path.reduce<Json | undefined>(
    (found, name) => (typeof found === "object" && found !== null && !Array.isArray(found) ? found[name] : undefined),
    value,
  );
}
