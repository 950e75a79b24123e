import { json } from "../http/responses.ts";
import { CATALOG, catalogText } from "../mcp/catalog.ts";
import { SERVER_INFO } from "../mcp/server-info.ts";
import { tokenKeys } from "../oauth/context.ts";
import { type DeepChecks, type HealthReport, reportHealth } from "../observe/health.ts";
import { type Exchange, grantObject } from "./exchange.ts";

/** GET /health; `?deep=1` also asks what we depend on. */
export async function health(exchange: Exchange): Promise<Response> {
  const { url, config, requestId } = exchange;
  const isDeep = url.searchParams.get("deep") === "1";
  const report = isDeep ? await deepHealth(exchange) : reportHealth(exchange, SERVER_INFO);
  // CF-01: the error of every other endpoint, beside the report.
  const error = config.ok ? {} : { error: "configuration_error", ...config.error, requestId };
  return json(report.healthy ? 200 : 503, { ...report, ...error });
}

/** Anybody may ask, so the answer is kept: asking often costs no more than asking twice a minute. */
const KEPT_MILLISECONDS = 30_000;

/** What has not answered by then has failed. */
const PATIENCE_MILLISECONDS = 3000;

let deep: DeepChecks | undefined;
let askedAtMs = 0;

export async function deepHealth(exchange: Exchange): Promise<HealthReport> {
  const nowMs = exchange.clock();
  if (!deep || nowMs - askedAtMs >= KEPT_MILLISECONDS) {
    // First, so that whoever comes meanwhile is given the last result and asks nobody.
    askedAtMs = nowMs;
    deep = await probe(exchange);
  }
  return reportHealth(exchange, SERVER_INFO, deep);
}

/** Each is well unless it says false, throws or takes too long. */
const PROBES: { readonly [name in keyof DeepChecks]: (exchange: Exchange) => unknown } = {
  // The keys of every token can be derived.
  oauth: ({ config }) => config.ok && tokenKeys(config.value),
  discovery: () => catalogText(CATALOG, "tools/list", "legacy"),
  // Whether Graph itself answers only a person's token could tell.
  graphApi: ({ config, env }) => config.ok && env.AI !== undefined,
  // No grant has this name: the object is asked, finds nothing and keeps nothing.
  durableObjects: ({ env }) => grantObject(env, "health").state(),
  kvStorage: ({ env }) => env.OAUTH_KV.get("health"),
};

async function probe(exchange: Exchange): Promise<DeepChecks> {
  const late = exchange.sleep(PATIENCE_MILLISECONDS).then(() => false);
  const checks = Object.entries(PROBES).map(async ([name, ask]) => {
    const asked = (async () => ask(exchange))();
    const healthy = (await Promise.race([asked, late]).catch(() => false)) !== false;
    return [name, { status: healthy ? "ok" : "failed", healthy }];
  });
  // One entry for each probe.
  return Object.fromEntries(await Promise.all(checks)) as DeepChecks;
}
