import { fetchFrom } from "./fetch.ts";
import type { AiBinding, GatewayAnswer, GatewayCall } from "./gateway.ts";

/** The route that Cloudflare documents for arbitrary HTTPS APIs: ai-gateway/configuration/custom-providers */
export async function fetchCustomProvider(call: GatewayCall): Promise<GatewayAnswer> {
  const { ai, config, request, metadata } = call;
  const base = await providerUrl(ai, config.AI_GATEWAY_ID, config.AI_GATEWAY_PROVIDER);
  const headers: Record<string, string> = {
    ...request.headers,
    "cf-aig-metadata": JSON.stringify(metadata),
    "cf-aig-skip-cache": "true",
    "cf-aig-collect-log-payload": "false",
    // A send must never be repeated by somebody who does not know what it is.
    "cf-aig-max-attempts": "1",
  };
  if (config.AI_GATEWAY_SERVICE_TOKEN !== undefined) {
    headers["cf-aig-authorization"] = `Bearer ${config.AI_GATEWAY_SERVICE_TOKEN}`;
  }
  const body = request.body === undefined ? {} : { body: JSON.stringify(request.body) };
  const init = { method: request.method, headers, ...body };
  const response = await fetchFrom(new URL(base).origin, `${base}${request.path}`, init, call.signal);
  return { response, logId: response.headers.get("cf-aig-log-id") };
}

const urls = new Map<string, string>();

/** The gateway's address holds the account id, so the binding is asked for it, once per isolate. */
async function providerUrl(ai: AiBinding, gatewayId: string, provider: string): Promise<string> {
  const name = `${gatewayId}/${provider}`;
  const known = urls.get(name);
  if (known !== undefined) return known;
  const url = (await ai.gateway(gatewayId).getUrl(provider)).replace(/\/$/, "");
  urls.set(name, url);
  return url;
}
