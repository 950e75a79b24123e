import { epochSeconds } from "../core/time.ts";
import { GRAPH_SCOPES } from "../graph/scopes.ts";
import { describeSpent, refusalHeaders } from "../http/rate-limit.ts";
import { json, jsonError } from "../http/responses.ts";
import { createClientStore } from "../oauth/client-store.ts";
import type { OAuthContext } from "../oauth/context.ts";
import { RESOURCES } from "../resources/index.ts";
import { TOOLS } from "../tools/index.ts";
import { grantObject, type Handler } from "./exchange.ts";
import { type LimitName, spentQuota } from "./limits.ts";

/** Every scope that something in the catalogue needs, in the order Graph documents them. */
export const CATALOGUE_SCOPES = GRAPH_SCOPES.filter((scope) =>
  [...TOOLS, ...RESOURCES].some(({ scopes }) => scopes.includes(scope)),
);

/** An endpoint of the authorization server, behind its limit. Wrong configuration is named, never shown. */
export function oauth(endpoint: (context: OAuthContext) => Promise<Response>, limit: LimitName): Handler {
  return async (exchange) => {
    const { config, env, requestId } = exchange;
    if (!config.ok) return json(503, { error: "configuration_error", ...config.error, requestId });
    const spent = await spentQuota(limit, exchange);
    if (spent) {
      return jsonError(429, "temporarily_unavailable", describeSpent(spent), requestId, refusalHeaders(spent));
    }
    return endpoint({
      ...exchange,
      config: config.value,
      now: epochSeconds(exchange.clock()),
      accessIdentity: exchange.access?.subject ?? null,
      clients: createClientStore(env.OAUTH_KV, env.CONFIG_KV, env.CACHE_KV),
      registrations: env.OAUTH_KV,
      grants: (gid) => grantObject(env, gid),
      catalogueScopes: CATALOGUE_SCOPES,
    });
  };
}
