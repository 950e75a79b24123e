import type { Config } from "../config.ts";
import { fetchOnce } from "./fetch.ts";
import type { AiBinding, Send } from "./gateway.ts";

/** The route that Cloudflare documents for arbitrary HTTPS APIs: ai-gateway/configuration/custom-providers */
export const fetchCustomProvider: Send = async (ai, config, request, metadata, headers, deadlineMs) => {
  const { method, path, body } = request;
  const init = {
    method,
    headers: {
      ...request.headers,
      ...headers,
      "cf-aig-metadata": JSON.stringify(metadata),
      "cf-aig-skip-cache": "true",
      // A send must never be repeated by somebody who does not know what it is.
      "cf-aig-max-attempts": "1",
    },
    // Undefined for a read.
    body: JSON.stringify(body),
  };
  const response = await fetchOnce((await providerUrl(ai, config)) + path, init, deadlineMs);
  return { response, logId: response.headers.get("cf-aig-log-id") };
};

const urls = new WeakMap<Config, string>();

/** The gateway's address holds the account id, so the binding is asked for it, once per isolate. */
async function providerUrl(ai: AiBinding, config: Config): Promise<string> {
  const { AI_GATEWAY_ID, AI_GATEWAY_PROVIDER } = config;
  const url = urls.get(config) ?? (await ai.gateway(AI_GATEWAY_ID).getUrl(AI_GATEWAY_PROVIDER)).replace(/\/$/, "");
  urls.set(config, url);
  return url;
}
