import type { Config } from "../config.ts";
import { err, ok, type Result } from "../core/result.ts";
import { runAi } from "./ai-run.ts";
import { fetchCustomProvider } from "./custom-provider.ts";

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

export type GatewayProblem = "egress_unconfigured" | "timeout" | "network";

/** The part of the AI binding that we use; its own overloads know language models only. */
export interface AiBinding {
  run(model: string, inputs: object, options: object): Promise<unknown>;
  readonly aiGatewayLogId: string | null;
  gateway(id: string): {
    getUrl(provider: string): Promise<string>;
    patchLog(logId: string, data: object): Promise<void>;
  };
}

export interface GatewayCall {
  readonly ai: AiBinding;
  readonly config: Config;
  readonly request: GatewayRequest;
  readonly metadata: GatewayMetadata;
  readonly signal: AbortSignal;
}

/** The only way to Microsoft Graph. There is no other, also when this one is missing. */
export async function sendThroughGateway(
  ai: AiBinding | undefined,
  config: Config,
  request: GatewayRequest,
  metadata: GatewayMetadata,
  deadlineMs: number,
): Promise<Result<GatewayAnswer, GatewayProblem>> {
  if (ai === undefined) return err("egress_unconfigured");
  if (!request.path.startsWith(`/${config.GRAPH_API_VERSION}/`)) throw new Error("Graph path without its version");
  const call: GatewayCall = { ai, config, request, metadata, signal: AbortSignal.timeout(deadlineMs) };
  const send = config.GRAPH_EGRESS_MODE === "ai-run" ? runAi : fetchCustomProvider;
  try {
    return ok(await send(call));
  } catch (error) {
    return err(error instanceof Error && error.name === "TimeoutError" ? "timeout" : "network");
  }
}

/** Adds to the gateway's log entry what came of a call. Nobody waits for it, and nothing depends on it. */
export async function patchGatewayLog(
  ai: AiBinding | undefined,
  config: Config,
  logId: string | null,
  metadata: { readonly outcome: string; readonly durationMs: number },
): Promise<void> {
  try {
    if (logId !== null) await ai?.gateway(config.AI_GATEWAY_ID).patchLog(logId, { metadata });
  } catch {
    // The entry stands without it.
  }
}
