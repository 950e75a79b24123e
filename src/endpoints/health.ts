import { json } from "../http/responses.ts";
import { CATALOG, catalogText } from "../mcp/catalog.ts";
import { SERVER_INFO } from "../mcp/server-info.ts";
import { tokenKeys } from "../oauth/context.ts";
import { type DeepChecks, type HealthReport, reportHealth } from "../observe/health.ts";
import { type Exchange, grantObject } from "./exchange.ts";

/** GET /health; `?deep=1` also asks what we depend on. */
export async function health(exchange: Exchange): Promise<Response> {
  const isDeep = exchange.url.searchParams.get("deep") === "1";
  const report = isDeep ? await deepHealth(exchange) : shallowHealth(exchange);
  return json(report.healthy ? 200 : 503, report);
}

function shallowHealth({ config, env, nowMs }: Exchange, deep?: DeepChecks): HealthReport {
  return reportHealth(config, env.AI !== undefined, SERVER_INFO, nowMs, deep);
}

/** Anybody may ask, so the answer is kept: asking often costs no more than asking twice a minute. */
const KEPT_MILLISECONDS = 30_000;

/** What has not answered by then counts as failed. */
const PATIENCE_MILLISECONDS = 3000;

let kept: { readonly atMs: number; readonly checks: DeepChecks } | undefined;

export async function deepHealth(exchange: Exchange): Promise<HealthReport> {
  const { nowMs } = exchange;
  if (kept === undefined || nowMs - kept.atMs >= KEPT_MILLISECONDS)
    kept = { atMs: nowMs, checks: await probe(exchange) };
  return shallowHealth(exchange, kept.checks);
}

/** Failed is what says false, throws, or does not come back in time. */
async function probe({ config, env, sleep }: Exchange): Promise<DeepChecks> {
  const late = sleep(PATIENCE_MILLISECONDS).then(() => false);
  const check = async (work: () => unknown) => {
    const answer = (async () => work())();
    const healthy = await Promise.race([answer, late]).then(
      (result) => result !== false,
      () => false,
    );
    return { status: healthy ? "ok" : "failed", healthy } as const;
  };
  const [oauth, discovery, graphApi, durableObjects, kvStorage] = await Promise.all([
    // The keys of every token can be derived.
    check(() => config.ok && tokenKeys(config.value)),
    check(() => catalogText(CATALOG, "tools/list", "legacy")),
    // Whether Graph answers only a person's token could tell.
    check(() => config.ok && env.AI !== undefined),
    // No grant has this name: the object is asked, finds nothing and keeps nothing.
    check(() => grantObject(env, "health").state()),
    check(() => env.OAUTH_KV.get("health")),
  ]);
  return { oauth, discovery, graphApi, durableObjects, kvStorage };
}
