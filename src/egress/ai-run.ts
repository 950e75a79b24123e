import type { GatewayAnswer, GatewayCall } from "./gateway.ts";

/** `env.AI.run` with a dynamic route: the contract of this product. Cloudflare: workers-ai binding, ai-gateway options */
export async function runAi({ ai, config, request, metadata, signal }: GatewayCall): Promise<GatewayAnswer> {
  const { method, path, headers, body } = request;
  const result = await ai.run(
    config.AI_GATEWAY_ROUTE,
    { method, path, headers, body },
    {
      gateway: { id: config.AI_GATEWAY_ID, metadata, skipCache: true },
      returnRawResponse: true,
      // Payload logging is on by default and would keep mail and bearer tokens in the gateway's log.
      extraHeaders: {
        "cf-aig-collect-log-payload": "false",
        ...(config.AI_GATEWAY_SERVICE_TOKEN === undefined
          ? {}
          : { "cf-aig-authorization": `Bearer ${config.AI_GATEWAY_SERVICE_TOKEN}` }),
      },
      signal,
    },
  );
  // The property is shared by all requests of the isolate: read it before anything else is awaited.
  const sharedLogId = ai.aiGatewayLogId;
  const response = asResponse(result);
  return { response, logId: response.headers.get("cf-aig-log-id") ?? sharedLogId ?? null };
}

/** A test double may ignore `returnRawResponse` and give an object, a text or a stream. */
function asResponse(result: unknown): Response {
  if (result instanceof Response) return result;
  if (result instanceof ReadableStream) return new Response(result);
  const text = typeof result === "string" ? result : JSON.stringify(result ?? null);
  return new Response(text, { headers: { "Content-Type": "application/json" } });
}
