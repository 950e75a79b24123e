import type { Config } from "../config.ts";
import { fetchOnce } from "./fetch.ts";
import type { AiBinding, GatewayAnswer, GatewayCall } from "./gateway.ts";

/** The route that Cloudflare documents for arbitrary HTTPS APIs: ai-gateway/configuration/custom-providers */
export async function fetchCustomProvider(call: GatewayCall): Promise<GatewayAnswer> {
  const { ai, config, metadata, deadlineMs } = call;
  const { method, path, body } = call.request;
  const headers = {
    ...call.request.headers,
    ...call.headers,
    "cf-aig-metadata": JSON.stringify(metadata),
    "cf-aig-skip-cache": "true",
    // A send must never be repeated by somebody who does not know what it is.
    "cf-aig-max-attempts": "1",
  };
  const url = (await providerUrl(ai, config)) + path;
  const response = await fetchOnce(url, { method, headers, ...(body && { body: JSON.stringify(body) }) }, deadlineMs);
  return { response, logId: response.headers.get("cf-aig-log-id") };
}

const urls = new WeakMap<Config, string>();

/** The gateway's address holds the account id, so the binding is asked for it, once per isolate. */
async function providerUrl(ai: AiBinding, config: Config): Promise<string> {
  const { AI_GATEWAY_ID, AI_GATEWAY_PROVIDER } = config;
  const url = urls.get(config) ?? (await ai.gateway(AI_GATEWAY_ID).getUrl(AI_GATEWAY_PROVIDER)).replace(/\/$/, "");
  urls.set(config, url);
  return url;
}
