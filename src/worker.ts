import { checkPerimeter } from "./access/perimeter.ts";
import { type Env, logLevel, readConfig } from "./config.ts";
import { isLoopback } from "./core/loopback.ts";
import { epochSeconds } from "./core/time.ts";
import { randomUuid } from "./crypto/random.ts";
import { deepHealth } from "./endpoints/health.ts";
import { prefersHtml } from "./http/accept.ts";
import { addCorsHeaders, isAllowedOrigin, preflight } from "./http/cors.ts";
import { completeHeaders } from "./http/headers.ts";
import { isSameOrigin } from "./http/origin.ts";
import { json, jsonError, redirect } from "./http/responses.ts";
import { errorPage } from "./oauth/page.ts";
import { detectClientType } from "./observe/client-type.ts";
import { createLog, faultsTo } from "./observe/log.ts";
import { type Exchange, ROUTES, type Route } from "./routes.ts";

export { MicrosoftMCPAgent } from "./agent/microsoft-mcp-agent.ts";

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const exchange = openExchange(request, env, ctx);
    const { config, url, requestId } = exchange;
    const route = findRoute(exchange);
    const origin = request.headers.get("Origin") ?? undefined;
    const list = config.ok ? config.value.ALLOWED_ORIGINS : [];
    const allowed = origin && isAllowedOrigin(origin, new URL(exchange.origin), list) ? origin : undefined;
    let answer: Response;
    try {
      answer =
        refuseAddress(exchange, route) ??
        (route ? await answerAt(route, exchange, origin !== allowed) : json(404, { error: "not_found", requestId }));
    } catch (error) {
      // The one place where a fault of ours becomes an answer: an id to ask about, and nothing of what happened.
      exchange.fault(error);
      const advice = "An unexpected fault here. Try again, or give the operator the request id.";
      answer = refuse(exchange, route, 500, "server_error", "This did not work", advice);
    }
    // A response that came out of a fetch or an object has immutable headers; all of ours are fresh.
    addCorsHeaders(answer.headers, route?.cors ?? "none", allowed);
    // CS-03: only a document is for keeping; its refusal is an answer like any other.
    completeHeaders(answer.headers, (answer.ok && route?.kind) || "api", requestId, url.protocol === "https:");
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
  return route?.needs && config.ok && !config.value[route.needs] ? undefined : route;
}

function openExchange(request: Request, env: Env, ctx: ExecutionContext): Exchange {
  const url = new URL(request.url);
  const config = readConfig(env);
  const settings = config.ok ? config.value : undefined;
  const requestId = randomUuid();
  const clientType = detectClientType(request.headers);
  const clock = () => Date.now();
  const log = createLog({ requestId, clientType, minimumLevel: logLevel(env), clock });
  const fault = faultsTo(log);
  return {
    request,
    env,
    url,
    // Both are set, or neither.
    origin: settings?.WORKER_DOMAIN ? new URL(`${settings.PROTOCOL}://${settings.WORKER_DOMAIN}`).origin : url.origin,
    config,
    requestId,
    clientType,
    clock,
    sleep: (milliseconds) => scheduler.wait(milliseconds),
    log,
    fault,
    waitUntil: (work) => ctx.waitUntil(work.catch(fault)),
  };
}

async function answerAt(route: Route, exchange: Exchange, isForeign: boolean): Promise<Response> {
  const { request, url, requestId, config, log } = exchange;
  const { cors, methods } = route;
  // Whatever was asked: people who are signed in ask for nothing but calls, and an operator has to hear of it.
  if (!config.ok)
    log({ level: "ERROR", message: "configuration error", context: url.pathname, metadata: config.error });
  if (request.method === "OPTIONS" && cors !== "none") return preflight();
  if (isForeign && cors === "allowed-origins") {
    return jsonError(403, "origin_refused", "This web origin is not allowed.", requestId);
  }
  let { access } = exchange;
  // Most deployments and all of discovery's hot path have no Access; they need not wait for a promise of nothing.
  if (config.ok && config.value.CF_ACCESS_TEAM_DOMAIN) {
    const perimeter = await checkPerimeter(config.value, request, url.pathname, epochSeconds(exchange.clock()));
    if (!perimeter.ok) {
      const message = "Authentication by Cloudflare Access failed";
      log({ level: "WARN", message, code: perimeter.error, context: url.pathname });
      // Nobody learns what was wrong with the assertion.
      const advice = "Sign in to Cloudflare Access first, or ask the operator.";
      return refuse(exchange, route, 403, "access_denied", "Access denied", advice);
    }
    access = perimeter.value;
  }
  log({ level: "DEBUG", message: "request", context: `${request.method} ${url.pathname}` });
  const answer = await methods[request.method]?.(access ? { ...exchange, access } : exchange);
  if (answer) return answer;
  const allow = [...Object.keys(methods), ...(cors === "none" ? [] : ["OPTIONS"])];
  // GET of a transport opens a stream or a socket; who pastes the address into a browser wanted the page.
  const others = allow.filter((method) => method !== request.method).join(" or ");
  const description = `Use ${others}; in a browser open ${exchange.origin}/.`;
  return jsonError(405, "method_not_allowed", description, requestId, { Allow: allow.join(", ") });
}

/** Whether a person is to see what is answered; the landing page is one only for who asks for it. */
function isPage({ headers }: Request, route: Route | undefined): boolean {
  return route?.kind === "page" || (route === ROUTES["/"] && prefersHtml(headers.get("Accept")));
}

/** A person sees a page, a program JSON: also of the routes of pages, which programs reach with curl. */
function refuse(
  { request, requestId }: Exchange,
  route: Route | undefined,
  status: number,
  error: string,
  title: string,
  description: string,
): Response {
  return isPage(request, route) && prefersHtml(request.headers.get("Accept"))
    ? errorPage(request, status, title, description, requestId)
    : jsonError(status, error, description, requestId);
}

/** No clear text beyond loopback, and one host only where one is configured (DNS rebinding, forgotten routes). */
function refuseAddress({ request, url, origin, requestId }: Exchange, route: Route | undefined): Response | undefined {
  const isRead = request.method === "GET";
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    return isRead
      ? redirect(308, url.href.replace("http:", "https:"))
      : jsonError(403, "https_required", "Use https.", requestId);
  }
  if (origin === url.origin || isSameOrigin(url, new URL(origin))) return undefined;
  return isRead && isPage(request, route)
    ? redirect(308, origin + url.pathname + url.search)
    : // RFC 9110 §15.5.20
      jsonError(421, "misdirected_request", `This server is ${origin}.`, requestId);
}
