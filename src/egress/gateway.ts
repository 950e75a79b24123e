import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import { runAi } from "./ai-run.ts";
import { fetchCustomProvider } from "./custom-provider.ts";
import { isTimeout } from "./fetch.ts";

/** One Graph request as AI Gateway is told of it. */
export interface GatewayRequest {
  readonly method: "GET" | "POST" | "PATCH";
  /** Path and query below the Graph origin, beginning with the version: `/v1.0/me`. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  /** The JSON object of a write; undefined for a read. */
  readonly body: object | undefined;
}

/** What the gateway's log says about a request; all texts, at most five of them. */
export interface GatewayMetadata {
  readonly userId: string;
  readonly userEmail?: string;
  readonly mcpTool: string;
  readonly requestId: string;
}

export interface GatewayAnswer {
  readonly response: Response;
  /** `cf-aig-log-id`; null where the platform gives none. */
  readonly logId: string | null;
}

/** In the words of a tool's failure. */
export type GatewayProblem = "egress_unconfigured" | "graph_timeout" | "gateway_unavailable";

/** The part of the AI binding that we use; its own overloads know language models only. */
export interface AiBinding {
  run(model: string, inputs: object, options: object): Promise<unknown>;
  readonly aiGatewayLogId: string | null;
  gateway(id: string): {
    getUrl(provider: string): Promise<string>;
    patchLog(logId: string, data: object): Promise<void>;
  };
}

/** The way out as it is configured. */
export interface Gateway {
  readonly ai: AiBinding | undefined;
  readonly config: Config;
}

/** One of the two ways. @param headers for the gateway itself */
export type Send = (
  ai: AiBinding,
  config: Config,
  request: GatewayRequest,
  metadata: GatewayMetadata,
  headers: { readonly [name: string]: string },
  deadlineMs: number,
) => Promise<GatewayAnswer>;

/** The only way to Microsoft Graph. There is no other, also when this one is missing. */
export async function sendThroughGateway(
  { ai, config }: Gateway,
  request: GatewayRequest,
  metadata: GatewayMetadata,
  deadlineMs: number,
): Promise<Result<GatewayAnswer, GatewayProblem>> {
  if (ai === undefined) return err("egress_unconfigured");
  if (!request.path.startsWith(`/${config.GRAPH_API_VERSION}/`)) throw new Error("path without its version");
  const token = config.AI_GATEWAY_SERVICE_TOKEN;
  const headers = {
    // Payload logging is on by default and would keep mail and bearer tokens in the gateway's log.
    "cf-aig-collect-log-payload": "false",
    ...(token && { "cf-aig-authorization": `Bearer ${token}` }),
  };
  const send = config.GRAPH_EGRESS_MODE === "ai-run" ? runAi : fetchCustomProvider;
  try {
    return ok(await send(ai, config, request, metadata, headers, deadlineMs));
  } catch (error) {
    return err(isTimeout(error) ? "graph_timeout" : "gateway_unavailable");
  }
}

/** Adds to the gateway's log entry what came of a call. Nobody waits for it, and nothing depends on it. */
export async function patchGatewayLog(
  { ai, config }: Gateway,
  logId: string | null,
  metadata: { readonly outcome: string; readonly durationMs: number },
): Promise<void> {
  try {
    if (logId !== null) await ai?.gateway(config.AI_GATEWAY_ID).patchLog(logId, { metadata });
  } catch {
    // The entry stands without it.
  }
}
