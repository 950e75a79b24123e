import type { Send } from "./gateway.ts";

/** `env.AI.run` with a dynamic route: the contract of this product. Cloudflare: workers-ai binding, ai-gateway options */
export const runAi: Send = async (ai, config, request, metadata, headers, deadlineMs) => {
  const result = await ai.run(config.AI_GATEWAY_ROUTE, request, {
    gateway: { id: config.AI_GATEWAY_ID, metadata, skipCache: true },
    returnRawResponse: true,
    extraHeaders: headers,
    signal: AbortSignal.timeout(deadlineMs),
  });
  // The property is shared by all requests of the isolate: read it before anything else is awaited.
  const sharedLogId = ai.aiGatewayLogId;
  const response = result instanceof Response ? result : new Response(bodyOf(result));
  return { response, logId: response.headers.get("cf-aig-log-id") ?? sharedLogId };
};

/** A test double may ignore `returnRawResponse` and give an object, a text or a stream. */
function bodyOf(result: unknown): string | ReadableStream {
  return typeof result === "string" || result instanceof ReadableStream ? result : JSON.stringify(result);
}
