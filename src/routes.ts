import type { Config, ConfigurationProblem, Env } from "./config.ts";
import type { Result } from "./core/result.ts";
import { epochSeconds } from "./core/time.ts";
import { GRAPH_SCOPES } from "./graph/scopes.ts";
import type { CorsPolicy } from "./http/cors.ts";
import type { AnswerKind } from "./http/headers.ts";
import { json } from "./http/responses.ts";
import type { Caller, CallOutcome, McpDeps, ProtectedCall, SignedIn } from "./mcp/call.ts";
import { describeServer, SERVER_INFO } from "./mcp/server-info.ts";
import { answerPost, refuseGet } from "./mcp/streamable-http.ts";
import { decideApproval } from "./oauth/approval.ts";
import { showApproval } from "./oauth/authorize.ts";
import { claimsToBeOurs, readBearer } from "./oauth/bearer.ts";
import { completeSignIn } from "./oauth/callback.ts";
import { signInChallenge, stepUpChallenge } from "./oauth/challenge.ts";
import { createClientStore } from "./oauth/client-store.ts";
import { type OAuthContext, tokenKeys } from "./oauth/context.ts";
import type { GrantObject, Trace } from "./oauth/grants.ts";
import {
  authorizationServerMetadata,
  openidConfiguration,
  protectedResourceMetadata,
  resourceMetadataUrl,
} from "./oauth/metadata.ts";
import { revokePerson } from "./oauth/operator.ts";
import { register } from "./oauth/registration.ts";
import { revoke } from "./oauth/revocation.ts";
import { token } from "./oauth/token.ts";
import { shallowHealth } from "./observe/health.ts";
import type { Log } from "./observe/log.ts";
import { TOOLS } from "./tools/index.ts";

/** One request with everything that a handler may know of it. */
export interface Exchange {
  readonly request: Request;
  readonly env: Env;
  readonly url: URL;
  /** Where we are served: configuration, else the request URL; never a forwarding header. */
  readonly origin: string;
  readonly config: Result<Config, ConfigurationProblem>;
  readonly requestId: string;
  readonly clientType: string;
  readonly nowMs: number;
  readonly log: Log;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

type Handler = (exchange: Exchange) => Promise<Response> | Response;

export interface Route {
  readonly kind: AnswerKind;
  readonly cors: CorsPolicy;
  /** Requests of foreign origins are refused before their body is read. */
  readonly isOriginChecked?: true;
  readonly methods: { readonly [method: string]: Handler };
}

/** Every scope that something in the catalogue needs, in the order Graph documents them. */
const CATALOGUE_SCOPES = GRAPH_SCOPES.filter((scope) => TOOLS.some((tool) => tool.scopes.includes(scope)));

const MCP: Route = {
  kind: "api",
  cors: "allowed-origins",
  isOriginChecked: true,
  methods: { GET: mcpGet, POST: mcpPost },
};
const SERVER: Route = { kind: "public-document", cors: "public", methods: { GET: serverInfo } };

/** The public surface, all of it. */
export const ROUTES: { readonly [path: string]: Route } = {
  "/": SERVER,
  "/info": SERVER,
  "/health": { kind: "api", cors: "public", methods: { GET: health } },
  "/sse": MCP,
  "/mcp": MCP,
  "/authorize": { kind: "page", cors: "none", methods: { GET: oauth(showApproval), POST: oauth(decideApproval) } },
  "/callback": { kind: "page", cors: "none", methods: { GET: oauth(completeSignIn) } },
  "/register": { kind: "api", cors: "public", methods: { POST: oauth(register) } },
  "/token": { kind: "api", cors: "public", methods: { POST: oauth(token) } },
  "/revoke": { kind: "api", cors: "public", methods: { POST: oauth(revoke) } },
  "/operator/revoke": { kind: "api", cors: "none", methods: { POST: oauth(revokePerson) } },
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

function oauth(endpoint: (context: OAuthContext) => Promise<Response>): Handler {
  return (exchange) => {
    const { config, env } = exchange;
    if (!config.ok) return configurationError(config.error.keys, exchange);
    const { request, url, origin, requestId, clientType, nowMs, log, waitUntil } = exchange;
    return endpoint({
      request,
      url,
      origin,
      requestId,
      clientType,
      now: epochSeconds(nowMs),
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

async function mcpPost(exchange: Exchange): Promise<Response> {
  const caller = await identify(exchange);
  if (caller instanceof Response) return caller;
  return answerPost(exchange.request, caller, mcpDeps(exchange));
}

async function mcpGet(exchange: Exchange): Promise<Response> {
  const caller = await identify(exchange);
  if (caller instanceof Response) return caller;
  return refuseGet(exchange.request, caller, mcpDeps(exchange));
}

/** Where `oauth` and `mcp` meet: a request becomes a caller, with one HMAC at most and no storage. */
async function identify({ request, config, nowMs, ...rest }: Exchange): Promise<Caller | Response> {
  const header = request.headers.get("Authorization");
  if (header === null || !claimsToBeOurs(header)) return { kind: "anonymous" };
  if (!config.ok) return configurationError(config.error.keys, { request, config, nowMs, ...rest });
  const bearer = await readBearer(header, await tokenKeys(config.value), epochSeconds(nowMs));
  if (bearer.kind === "valid") {
    const { gid, text, expiresAt } = bearer.token;
    return { kind: "signed-in", gid, accessToken: text, expiresAt };
  }
  return { kind: bearer.kind === "invalid" ? "invalid" : "anonymous" };
}

function mcpDeps(exchange: Exchange): McpDeps {
  const { config, env, origin, url, requestId, clientType } = exchange;
  return {
    call: ({ gid, accessToken }: SignedIn, call: ProtectedCall) =>
      grantObject(env, gid).call({ gid, trace: { requestId, clientType }, origin, accessToken, call }),
    challenge: (problem, scopes) => ({
      wwwAuthenticate: (problem === "sign_in" ? signInChallenge : stepUpChallenge)(origin, url.pathname, scopes),
      authorizationEndpoint: `${origin}/authorize`,
      resourceMetadata: resourceMetadataUrl(origin, url.pathname),
    }),
    misconfigured: config.ok ? [] : config.error.keys,
    requireAuthOnInitialize: config.ok && config.value.REQUIRE_AUTH_ON_INITIALIZE,
    requestId,
  };
}

/** The part of the object that MCP uses. */
interface CallObject {
  call(input: {
    readonly gid: string;
    readonly trace: Trace;
    readonly origin: string;
    readonly accessToken: string;
    readonly call: ProtectedCall;
  }): Promise<CallOutcome>;
}

/**
 * The object of one grant. `gid` comes out of a text whose tag was checked, or out of a form that we sealed, so nobody
 * can make us create objects.
 */
function grantObject(env: Env, gid: string): GrantObject & CallObject {
  const stub = env.MCP_OBJECT.get(env.MCP_OBJECT.idFromName(`grant:${gid}`));
  // `MicrosoftMCPAgent` implements both; the namespace's own type knows no class.
  return stub as unknown as GrantObject & CallObject;
}
