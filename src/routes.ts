import type { AccessIdentity } from "./access/assertion.ts";
import { isAccessRequired } from "./access/perimeter.ts";
import { serveAnonymous } from "./agent/anonymous-socket.ts";
import { eventStream } from "./agent/event-stream.ts";
import { mcpDeps, type Place } from "./agent/mcp-deps.ts";
import type { Input, PostInput } from "./agent/microsoft-mcp-agent.ts";
import { STREAM_HEADER, type Stream } from "./agent/streams.ts";
import type { CallInput } from "./agent/tool-call.ts";
import type { Config, ConfigurationProblem, Env } from "./config.ts";
import type { Result } from "./core/result.ts";
import { epochSeconds } from "./core/time.ts";
import { sha256 } from "./crypto/hash.ts";
import { deriveMacKey } from "./crypto/keys.ts";
import { randomSecret, randomUuid } from "./crypto/random.ts";
import type { Token } from "./crypto/token.ts";
import { GRAPH_SCOPES } from "./graph/scopes.ts";
import type { CorsPolicy } from "./http/cors.ts";
import type { AnswerKind } from "./http/headers.ts";
import { isWithinLimit, limitHeaders } from "./http/rate-limit.ts";
import { json, jsonError } from "./http/responses.ts";
import type { CallOutcome, McpDeps, ProtectedCall, Quota } from "./mcp/call.ts";
import { identityMismatch, rateLimited, signIn } from "./mcp/dispatch.ts";
import type { Reply } from "./mcp/jsonrpc.ts";
import { idOf } from "./mcp/revisions.ts";
import { describeServer, SERVER_INFO } from "./mcp/server-info.ts";
import { upgraded } from "./mcp/socket.ts";
import { answerPost, answerStreamPost, refuseStream, respond, wantsStream } from "./mcp/streamable-http.ts";
import { decideApproval } from "./oauth/approval.ts";
import { showApproval } from "./oauth/authorize.ts";
import { type Bearer, claimsToBeOurs, readBearer } from "./oauth/bearer.ts";
import { completeSignIn } from "./oauth/callback.ts";
import { createClientStore } from "./oauth/client-store.ts";
import { type OAuthContext, tokenKeys } from "./oauth/context.ts";
import type { GrantObject } from "./oauth/grants.ts";
import { authorizationServerMetadata, openidConfiguration, protectedResourceMetadata } from "./oauth/metadata.ts";
import { revokePerson } from "./oauth/operator.ts";
import { register } from "./oauth/registration.ts";
import { revoke } from "./oauth/revocation.ts";
import { token } from "./oauth/token.ts";
import { shallowHealth } from "./observe/health.ts";
import type { Log } from "./observe/log.ts";
import { RESOURCES } from "./resources/index.ts";
import { TOOLS } from "./tools/index.ts";

/** One request with everything that a handler may know of it. */
export interface Exchange {
  readonly request: Request;
  readonly env: Env;
  readonly url: URL;
  /** Where we are served: configuration, else the request URL; never a forwarding header. */
  readonly origin: string;
  readonly config: Result<Config, ConfigurationProblem>;
  /** Who passed Cloudflare Access; undefined where nobody had to, or nobody did. */
  readonly access: AccessIdentity | undefined;
  readonly requestId: string;
  readonly clientType: string;
  readonly nowMs: number;
  /** For what goes on after the answer, such as a socket. Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly log: Log;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Undefined when the method does not fit after all: 405. */
type Handler = (exchange: Exchange) => Promise<Response | undefined> | Response;

export interface Route {
  readonly kind: AnswerKind;
  readonly cors: CorsPolicy;
  /** Requests of foreign origins are refused before their body is read. */
  readonly isOriginChecked?: true;
  readonly methods: { readonly [method: string]: Handler };
  /** Where this is not configured, the path does not exist. */
  readonly needs?: keyof Config;
}

/** Every scope that something in the catalogue needs, in the order Graph documents them. */
const CATALOGUE_SCOPES = GRAPH_SCOPES.filter((scope) =>
  [...TOOLS, ...RESOURCES].some(({ scopes }) => scopes.includes(scope)),
);

const MCP: Route = {
  kind: "api",
  cors: "allowed-origins",
  isOriginChecked: true,
  methods: { GET: mcpGet, POST: mcpPost },
};
const SERVER: Route = { kind: "public-document", cors: "public", methods: { GET: serverInfo } };

/** Coarse limits per address and minute; the exact ones are in the grant's object. wrangler.toml repeats the numbers. */
const PER_MINUTE = {
  LIMIT_AUTHORIZE: 60,
  LIMIT_APPROVE: 30,
  LIMIT_REGISTER: 30,
  LIMIT_TOKEN: 600,
  LIMIT_REVOKE: 120,
  LIMIT_CALLS: 1200,
} as const;

/** The public surface, all of it. */
export const ROUTES: { readonly [path: string]: Route } = {
  "/": SERVER,
  "/info": SERVER,
  "/health": { kind: "api", cors: "public", methods: { GET: health } },
  "/sse": MCP,
  "/mcp": MCP,
  "/sse/message": { ...MCP, methods: { POST: mcpPost } },
  "/authorize": {
    kind: "page",
    cors: "none",
    methods: { GET: oauth(showApproval, "LIMIT_AUTHORIZE"), POST: oauth(decideApproval, "LIMIT_APPROVE") },
  },
  "/callback": { kind: "page", cors: "none", methods: { GET: oauth(completeSignIn, "LIMIT_APPROVE") } },
  "/register": { kind: "api", cors: "public", methods: { POST: oauth(register, "LIMIT_REGISTER") } },
  "/token": { kind: "api", cors: "public", methods: { POST: oauth(token, "LIMIT_TOKEN") } },
  "/revoke": { kind: "api", cors: "public", methods: { POST: oauth(revoke, "LIMIT_REVOKE") } },
  "/operator/revoke": {
    kind: "api",
    cors: "none",
    needs: "OPERATOR_TOKEN",
    methods: { POST: oauth(revokePerson, "LIMIT_REVOKE") },
  },
  ...documents("/.well-known/oauth-authorization-server", ["", "/sse", "/mcp"], authorizationServerMetadata),
  ...documents("/.well-known/openid-configuration", ["", "/sse", "/mcp"], openidConfiguration),
  ...documents("/.well-known/jwks.json", [""], () => ({ keys: [] })),
  ...documents("/.well-known/oauth-protected-resource", [""], resourceDocument("")),
  ...documents("/.well-known/oauth-protected-resource/sse", [""], resourceDocument("/sse")),
  ...documents("/.well-known/oauth-protected-resource/mcp", [""], resourceDocument("/mcp")),
};

/** Public metadata may be kept for a while, but a changed configuration should show within minutes. */
const DOCUMENT_CACHE = { "Cache-Control": "public, max-age=300" };

function documents(
  path: string,
  suffixes: readonly string[],
  build: (origin: string, scopes: typeof CATALOGUE_SCOPES) => object,
): { [path: string]: Route } {
  const handler: Handler = ({ origin }) => json(200, build(origin, CATALOGUE_SCOPES), DOCUMENT_CACHE);
  const route: Route = { kind: "public-document", cors: "public", methods: { GET: handler } };
  return Object.fromEntries(suffixes.map((suffix) => [`${path}${suffix}`, route]));
}

function resourceDocument(path: string) {
  return (origin: string, scopes: typeof CATALOGUE_SCOPES) => protectedResourceMetadata(origin, path, scopes);
}

function serverInfo({ origin }: Exchange): Response {
  return json(200, describeServer(origin), DOCUMENT_CACHE);
}

function health({ config, env, nowMs }: Exchange): Response {
  const report = shallowHealth(config, env.AI !== undefined, SERVER_INFO, nowMs);
  return json(report.healthy ? 200 : 503, report);
}

/** Wrong configuration stops whatever would need it; discovery goes on. Names only, never values. */
function configurationError(keys: readonly string[], exchange: Exchange): Response {
  exchange.log({ level: "ERROR", message: "configuration error", metadata: { keys } });
  return json(503, { error: "configuration_error", keys, requestId: exchange.requestId });
}

function oauth(endpoint: (context: OAuthContext) => Promise<Response>, limit: keyof typeof PER_MINUTE): Handler {
  return async (exchange) => {
    const { config, env } = exchange;
    if (!config.ok) return configurationError(config.error.keys, exchange);
    const limited = await refuseOverLimit(limit, config.value, exchange);
    if (limited) return limited;
    const { request, url, origin, requestId, clientType, nowMs, log, waitUntil } = exchange;
    return endpoint({
      request,
      url,
      origin,
      requestId,
      clientType,
      now: epochSeconds(nowMs),
      accessIdentity: exchange.access?.subject ?? null,
      log,
      waitUntil,
      config: config.value,
      clients: createClientStore(env.OAUTH_KV, env.CONFIG_KV, env.CACHE_KV),
      registrations: env.OAUTH_KV,
      grants: (gid) => grantObject(env, gid),
      catalogueScopes: CATALOGUE_SCOPES,
    });
  };
}

async function refuseOverLimit(
  name: keyof typeof PER_MINUTE,
  config: Config,
  { request, requestId, env }: Exchange,
): Promise<Response | undefined> {
  const limiter = env[name];
  if (limiter === undefined) return undefined;
  const key = await deriveMacKey((await tokenKeys(config))[0], "address");
  // A broken limiter must not lock anybody out of renewing a token; registering can wait.
  const whenBroken = name !== "LIMIT_REGISTER";
  if (await isWithinLimit(limiter, request.headers, key, whenBroken)) return undefined;
  const description = `At most ${PER_MINUTE[name]} requests a minute; try again in a minute.`;
  return jsonError(429, "temporarily_unavailable", description, requestId, limitHeaders(PER_MINUTE[name]));
}

async function mcpPost(exchange: Exchange): Promise<Response> {
  const { request, url, env } = exchange;
  const bearer = await identify(exchange);
  const deps = depsOf(exchange, bearer);
  const sessionId = url.searchParams.get("sessionId");
  if (url.pathname === "/mcp" || (url.pathname === "/sse" && sessionId === null)) return answerPost(request, deps);
  return answerStreamPost(request, deps, async (message) => {
    if (bearer.kind !== "valid") return undefined;
    if (await refuseCall(exchange)) return rateLimited(idOf(message), ADDRESS_QUOTA);
    const access = await accessOf(exchange, bearer.token);
    return grantObject(env, access.gid).post({ ...access, sessionId: sessionId ?? "", message });
  });
}

/** Undefined where there is neither a stream nor a socket: 405. */
async function mcpGet(exchange: Exchange): Promise<Response | undefined> {
  const { request, url, requestId, env } = exchange;
  const { headers } = request;
  const isUpgrade = headers.get("Upgrade")?.toLowerCase() === "websocket";
  if (!isUpgrade && (headers.has("Sec-WebSocket-Key") || headers.has("Sec-WebSocket-Version"))) {
    const hint = "Send Upgrade: websocket, or POST a JSON-RPC message.";
    return jsonError(426, "upgrade_required", hint, requestId, { Upgrade: "websocket" });
  }
  if (!isUpgrade && !wantsStream(request)) return undefined;
  const bearer = await identify(exchange);
  const deps = depsOf(exchange, bearer);
  if (isUpgrade && deps.caller.kind === "anonymous") {
    const limited = await refuseCall(exchange);
    if (limited) return limited;
    const { 0: client, 1: socket } = new WebSocketPair();
    // Nothing protected runs here, so what is not configured is not missed; each message has an id of its own.
    const deps = () => ({ ...depsOf({ ...exchange, requestId: randomUuid() }, bearer), misconfigured: [] });
    serveAnonymous(socket, deps, exchange.clock);
    return upgraded(client, request);
  }
  const refusal = refuseStream(deps);
  if (refusal !== undefined || bearer.kind !== "valid") return respond(refusal, request);
  if (!isUpgrade && url.pathname !== "/sse") return undefined;
  const { gid, expiresAt } = bearer.token;
  const stream: Stream = { ...(await accessOf(exchange, bearer.token)), sessionId: randomSecret(), expiresAt };
  const opened = await grantObject(env, gid).fetch("https://grant/", {
    headers: { Upgrade: "websocket", [STREAM_HEADER]: JSON.stringify(stream) },
  });
  const { webSocket, status } = opened;
  if (webSocket === null) {
    if (status === 401) return respond(signIn(null, [], deps), request);
    if (status === 403) return respond(identityMismatch(null), request);
    return jsonError(429, "too_many_streams", "Close another stream first.", requestId, { "Retry-After": "60" });
  }
  return isUpgrade
    ? upgraded(webSocket, request)
    : eventStream(webSocket, `/sse/message?sessionId=${stream.sessionId}`);
}

/** One HMAC at most and no storage. Without keys nobody is known; protected calls then name what is not configured. */
async function identify({ request, config, nowMs }: Exchange): Promise<Bearer> {
  const header = request.headers.get("Authorization");
  if (!config.ok || !claimsToBeOurs(header)) return { kind: "none" };
  return readBearer(header, await tokenKeys(config.value), epochSeconds(nowMs));
}

/** Where `oauth` and `mcp` meet: a bearer becomes a caller. */
function depsOf(exchange: Exchange, bearer: Bearer): McpDeps {
  const { config, env } = exchange;
  if (bearer.kind !== "valid") {
    return mcpDeps({ kind: bearer.kind === "invalid" ? "invalid" : "anonymous" }, placeOf(exchange), config, exchange);
  }
  const call = async (call: ProtectedCall): Promise<CallOutcome> => {
    if (await refuseCall(exchange)) return { kind: "rate_limited", quota: ADDRESS_QUOTA };
    return grantObject(env, bearer.token.gid).call({ ...(await accessOf(exchange, bearer.token)), call });
  };
  return mcpDeps({ kind: "signed-in", call }, placeOf(exchange), config, exchange);
}

async function refuseCall(exchange: Exchange): Promise<Response | undefined> {
  return exchange.config.ok ? refuseOverLimit("LIMIT_CALLS", exchange.config.value, exchange) : undefined;
}

const ADDRESS_QUOTA: Quota = { limit: PER_MINUTE.LIMIT_CALLS, remaining: 0, resetSeconds: 60 };

/** `/sse/message` belongs to `/sse`. */
function placeOf({ origin, url }: Exchange): Place {
  return { origin, path: url.pathname === "/mcp" ? "/mcp" : "/sse" };
}

/** What the grant's object is told of a caller: never the token itself. */
async function accessOf(exchange: Exchange, { gid, text }: Token) {
  const { requestId, clientType, config, access: identity, url } = exchange;
  const perimeter = { identity, isRequired: config.ok && isAccessRequired(config.value, url.pathname) };
  return { ...placeOf(exchange), gid, trace: { requestId, clientType }, accessHash: await sha256(text), perimeter };
}

/** The part of the object that MCP uses. */
interface McpObject {
  call(input: Input<CallInput>): Promise<CallOutcome>;
  post(input: Input<PostInput>): Promise<Reply | undefined>;
  fetch: Fetcher["fetch"];
}

/**
 * The object of one grant. `gid` comes out of a text whose tag was checked, or out of a form that we sealed, so nobody
 * can make us create objects.
 */
function grantObject(env: Env, gid: string): GrantObject & McpObject {
  const stub = env.MCP_OBJECT.get(env.MCP_OBJECT.idFromName(`grant:${gid}`));
  // `MicrosoftMCPAgent` implements both; the namespace's own type knows no class.
  return stub as unknown as GrantObject & McpObject;
}
