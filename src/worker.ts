import type { AccessProblem } from "./access/assertion.ts";
import { checkPerimeter } from "./access/perimeter.ts";
import { type Env, logLevel, readConfig } from "./config.ts";
import { ok } from "./core/result.ts";
import { epochSeconds } from "./core/time.ts";
import { randomUuid } from "./crypto/random.ts";
import { deepHealth } from "./endpoints/health.ts";
import { addCorsHeaders, isAllowedOrigin, preflight } from "./http/cors.ts";
import { completeHeaders } from "./http/headers.ts";
import { isLoopback, isSameOrigin } from "./http/origin.ts";
import { json, jsonError, redirect } from "./http/responses.ts";
import { errorPage } from "./oauth/page.ts";
import { detectClientType } from "./observe/client-type.ts";
import { createLog, describeFault } from "./observe/log.ts";
import { type Exchange, ROUTES, type Route } from "./routes.ts";

export { MicrosoftMCPAgent } from "./agent/microsoft-mcp-agent.ts";

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const exchange = openExchange(request, env, ctx);
    const route = findRoute(exchange);
    const origin = request.headers.get("Origin") ?? undefined;
    const list = exchange.config.ok ? exchange.config.value.ALLOWED_ORIGINS : [];
    const allowed = origin && isAllowedOrigin(origin, new URL(exchange.origin), list) ? origin : undefined;
    const answer = await answerSafely(exchange, route, origin !== allowed);
    // A response that came out of a fetch or an object has immutable headers; all of ours are fresh.
    addCorsHeaders(answer.headers, route?.cors ?? "none", allowed);
    completeHeaders(answer.headers, route?.kind ?? "api", exchange.requestId, exchange.url.protocol === "https:");
    return answer;
  },

  /** HL-03: what a cron trigger of wrangler.toml starts. */
  async scheduled(_: ScheduledController, env: Env, ctx: ExecutionContext): Promise<void> {
    const exchange = openExchange(new Request("https://scheduled.invalid/"), env, ctx);
    const { healthy, checks } = await deepHealth(exchange);
    exchange.log({ level: healthy ? "INFO" : "ERROR", message: "health check", metadata: checks });
  },
};

function findRoute({ url, config }: Exchange): Route | undefined {
  const route = ROUTES[url.pathname];
  const isThere = route?.needs === undefined || !config.ok || config.value[route.needs] !== undefined;
  return isThere ? route : undefined;
}

function openExchange(request: Request, env: Env, ctx: ExecutionContext): Exchange {
  const url = new URL(request.url);
  const config = readConfig(env);
  const canonical = config.ok ? canonicalOrigin(config.value) : undefined;
  const requestId = randomUuid();
  const clientType = detectClientType(request.headers);
  const clock = () => Date.now();
  const log = createLog({ requestId, clientType, minimumLevel: logLevel(env), clock });
  return {
    request,
    env,
    url,
    origin: canonical ?? url.origin,
    config,
    access: undefined,
    requestId,
    clientType,
    nowMs: clock(),
    clock,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    log,
    waitUntil: (work) =>
      ctx.waitUntil(
        work.catch((error) => log({ level: "ERROR", message: "unexpected fault", error: describeFault(error) })),
      ),
  };
}

function canonicalOrigin(config: { WORKER_DOMAIN?: string | undefined; PROTOCOL?: string | undefined }) {
  const { WORKER_DOMAIN, PROTOCOL } = config;
  return WORKER_DOMAIN === undefined || PROTOCOL === undefined
    ? undefined
    : new URL(`${PROTOCOL}://${WORKER_DOMAIN}`).origin;
}

/** The one place where a fault of ours becomes an answer: an id to ask about, and nothing of what happened. */
async function answerSafely(exchange: Exchange, route: Route | undefined, isForeign: boolean): Promise<Response> {
  try {
    return await answer(exchange, route, isForeign);
  } catch (error) {
    exchange.log({ level: "ERROR", message: "unexpected fault", error: describeFault(error) });
    return jsonError(500, "server_error", "An unexpected fault here.", exchange.requestId);
  }
}

async function answer(exchange: Exchange, route: Route | undefined, isForeign: boolean): Promise<Response> {
  const { request, url, origin, requestId } = exchange;
  const elsewhere = refuseAddress(url, origin === url.origin ? url : new URL(origin), request.method, route, requestId);
  if (elsewhere !== undefined) return elsewhere;
  if (route === undefined) return json(404, { error: "not_found", requestId });
  if (request.method === "OPTIONS" && route.cors !== "none") return preflight();
  if (isForeign && route.cors === "allowed-origins") {
    return jsonError(403, "origin_refused", "This web origin is not allowed.", requestId);
  }
  const { config } = exchange;
  // Most deployments and all of discovery's hot path have no Access; they need not wait for a promise of nothing.
  const isGuarded = config.ok && config.value.CF_ACCESS_TEAM_DOMAIN !== undefined;
  const perimeter = isGuarded
    ? await checkPerimeter(config.value, request, url.pathname, epochSeconds(exchange.nowMs))
    : ok(undefined);
  if (!perimeter.ok) return refuseAccess(perimeter.error, route, exchange);
  exchange.log({ level: "DEBUG", message: "request", context: `${request.method} ${url.pathname}` });
  const answered = await route.methods[request.method]?.(
    isGuarded ? { ...exchange, access: perimeter.value } : exchange,
  );
  if (answered !== undefined) return answered;
  const allow = [...Object.keys(route.methods), ...(route.cors === "none" ? [] : ["OPTIONS"])].join(", ");
  return jsonError(405, "method_not_allowed", `This path answers ${allow}.`, requestId, { Allow: allow });
}

/** A person sees a page, a program JSON; neither learns what was wrong with the assertion. */
function refuseAccess(problem: AccessProblem, route: Route, { request, url, requestId, log }: Exchange): Response {
  log({ level: "WARN", message: "Authentication by Cloudflare Access failed", code: problem, context: url.pathname });
  const description = "Sign in to Cloudflare Access first, or ask the operator.";
  const isPerson = route.kind === "page" && request.headers.get("Accept")?.includes("text/html");
  if (isPerson) return errorPage(request, 403, "Access denied", description, requestId);
  return jsonError(403, "access_denied", description, requestId);
}

/** No clear text beyond loopback, and one host only where one is configured (DNS rebinding, forgotten routes). */
function refuseAddress(
  url: URL,
  canonical: URL,
  method: string,
  route: Route | undefined,
  requestId: string,
): Response | undefined {
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    if (method === "GET") return redirect(308, `https:${url.href.slice("http:".length)}`);
    return jsonError(403, "https_required", "Use https.", requestId);
  }
  if (isSameOrigin(url, canonical)) return undefined;
  if (method === "GET" && route?.kind === "page")
    return redirect(308, `${canonical.origin}${url.pathname}${url.search}`);
  // RFC 9110 §15.5.20
  return jsonError(421, "misdirected_request", `This server is ${canonical.origin}.`, requestId);
}
