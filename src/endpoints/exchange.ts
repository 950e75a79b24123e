import type { AccessIdentity } from "../access/assertion.ts";
import type { Input, PostInput } from "../agent/microsoft-mcp-agent.ts";
import type { CallInput } from "../agent/tool-call.ts";
import type { Config, ConfigurationProblem, Env } from "../config.ts";
import type { Result } from "../core/result.ts";
import type { CorsPolicy } from "../http/cors.ts";
import type { AnswerKind } from "../http/headers.ts";
import type { CallOutcome } from "../mcp/call.ts";
import type { Reply } from "../mcp/jsonrpc.ts";
import type { GrantObject } from "../oauth/grants.ts";
import type { Log } from "../observe/log.ts";

/** One request with everything that a handler may know of it. */
export interface Exchange {
  readonly request: Request;
  readonly env: Env;
  readonly url: URL;
  /** Where we are served: configuration, else the request URL; never a forwarding header. */
  readonly origin: string;
  readonly config: Result<Config, ConfigurationProblem>;
  /** Who passed Cloudflare Access; undefined where nobody had to, or nobody did. */
  readonly access?: AccessIdentity | undefined;
  readonly requestId: string;
  readonly clientType: string;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  /** For what must not be waited for without end. */
  readonly sleep: (milliseconds: number) => Promise<unknown>;
  readonly log: Log;
  /** Logs what should not have happened. */
  readonly fault: (error: unknown) => void;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Undefined when the method does not fit after all: 405. */
export type Handler = (exchange: Exchange) => Promise<Response | undefined> | Response;

export interface Route {
  readonly kind: AnswerKind;
  /** `allowed-origins` also refuses requests of other origins, before their body is read. */
  readonly cors: CorsPolicy;
  readonly methods: { readonly [method: string]: Handler };
  /** Where this is not configured, the path does not exist. */
  readonly needs?: keyof Config;
}

/** The part of the object that MCP uses. */
interface McpObject {
  call(input: Input<CallInput>): Promise<CallOutcome>;
  post(input: Input<PostInput>): Promise<Reply | undefined>;
  fetch: Fetcher["fetch"];
}

/**
 * The object of one grant. `gid` comes out of a text whose tag was checked, out of a form that we sealed, out of our own
 * index of grants, or is `health`, so nobody can make us create objects.
 */
export function grantObject({ MCP_OBJECT }: Env, gid: string): GrantObject & McpObject {
  const stub = MCP_OBJECT.get(MCP_OBJECT.idFromName(`grant:${gid}`));
  // `MicrosoftMCPAgent` implements both; the namespace's own type knows no class.
  return stub as unknown as GrantObject & McpObject;
}
