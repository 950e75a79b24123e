import type { CallOutcome, McpDeps, Quota } from "./call.ts";
import { catalogText, frame } from "./catalog.ts";
import { ERROR, errorReply, type Reply, type RequestId, resultReply } from "./jsonrpc.ts";
import { type DiscoveryMethod, type Era, isDiscoveryMethod, type ProtectedMethod } from "./methods.ts";
import { type Classified, type ClassifiedRequest, LEGACY_REVISIONS } from "./revisions.ts";
import { CAPABILITIES, INSTRUCTIONS, SERVER_INFO } from "./server-info.ts";

/** Answers one message, whatever transport it came by; undefined when it asks for no answer. */
export async function answer(message: Classified, deps: McpDeps): Promise<Reply | undefined> {
  switch (message.kind) {
    case "response":
      return undefined;
    case "notification":
      return isOutside(deps) ? signIn(null, [], deps) : undefined;
    case "refused":
      return message.reply;
    case "request":
      try {
        return await dispatch(message, deps);
      } catch (error) {
        deps.fault(error);
        const data = { requestId: deps.requestId };
        return errorReply(500, message.id, { code: ERROR.internal, message: "An unexpected fault here.", data });
      }
  }
}

/** Whether even discovery is refused: a token that must be renewed, or a server that wants one from the start. */
function isOutside({ caller, requireAuthOnInitialize }: McpDeps): boolean {
  return caller.kind === "invalid" || (requireAuthOnInitialize && caller.kind === "anonymous");
}

async function dispatch(request: ClassifiedRequest, deps: McpDeps): Promise<Reply> {
  const { id, era, method, params } = request;
  const { caller } = deps;
  if (isDiscoveryMethod(method)) return isOutside(deps) ? signIn(id, [], deps) : discover({ ...request, method }, deps);
  // MCP 2025-11-25 tools: what does not exist is said before anybody is asked to sign in.
  const operation = deps.catalog.find(method, params);
  if (operation === undefined) return unknownOperation(method, request);
  if (deps.misconfigured.length > 0) return misconfigured(deps.misconfigured, deps);
  if (caller.kind !== "signed-in") return signIn(id, operation.scopes, deps);
  return present(await caller.call(operation.call), operation.scopes, { id, era, deps });
}

function discover(request: ClassifiedRequest & { readonly method: DiscoveryMethod }, { catalog }: McpDeps): Reply {
  const { id, era, method, params } = request;
  switch (method) {
    case "initialize":
      return resultReply(id, JSON.stringify(initialize(params.protocolVersion)));
    case "ping":
      return resultReply(id, "{}");
    case "prompts/get": {
      const prompt = catalog.prompt(params);
      if (prompt === undefined) return invalidParams(id, "There is no such prompt, or it needs an argument.");
      return resultReply(id, JSON.stringify(frame(prompt, era)));
    }
    default:
      // Every list is one page, so a cursor can only be invented.
      if (params.cursor !== undefined) return invalidParams(id, "There are no further pages; leave out cursor.");
      return resultReply(id, catalogText(catalog, method, era));
  }
}

/** MCP lifecycle: the revision asked for where we know it, else our newest that begins with a handshake. */
function initialize(requested: unknown) {
  const known = LEGACY_REVISIONS.find((revision) => revision === requested);
  return {
    protocolVersion: known ?? LEGACY_REVISIONS[0],
    capabilities: CAPABILITIES,
    serverInfo: SERVER_INFO,
    instructions: INSTRUCTIONS,
  };
}

function unknownOperation(method: ProtectedMethod, { id, era, params }: ClassifiedRequest): Reply {
  if (method === "tools/call") return invalidParams(id, "There is no tool of this name; see tools/list.");
  // MCP 2026-07-28 server/resources moved this from -32002 to -32602.
  const code = era === "modern" ? ERROR.invalidParams : ERROR.resourceNotFound;
  const uri = typeof params.uri === "string" ? params.uri.slice(0, 512) : null;
  return errorReply(200, id, { code, message: "There is no resource of this URI; see resources/list.", data: { uri } });
}

interface Frame {
  readonly id: RequestId | null;
  readonly era: Era;
  readonly deps: McpDeps;
}

function present(outcome: CallOutcome, needed: readonly string[], { id, era, deps }: Frame): Reply {
  switch (outcome.kind) {
    case "done": {
      // Resources alone have contents, and only they may be kept, though not by others and not for long.
      const caching = "contents" in outcome.result ? { ttlMs: 0, cacheScope: "private" } : {};
      const text = JSON.stringify(frame({ ...outcome.result }, era, caching));
      return { ...resultReply(id, text), headers: quotaHeaders(outcome.quota) };
    }
    case "failed": {
      const { message, data, quota } = outcome;
      return errorReply(200, id, { code: ERROR.internal, message, data }, quotaHeaders(quota));
    }
    case "rate_limited":
      return rateLimited(id, outcome.quota);
    case "unauthorized":
      return signIn(id, needed, deps);
    case "identity_mismatch":
      return identityMismatch(id);
    case "insufficient_scope":
      return stepUp(id, outcome.scopes, deps);
  }
}

/** Not a sign-in problem: a 401 would make the client sign in as whoever sits there. */
export function identityMismatch(id: RequestId | null): Reply {
  const message = "Somebody else approved this sign-in; sign in as yourself.";
  return errorReply(403, id, { code: ERROR.authRequired, message, data: { type: "access_denied" } });
}

/** draft-ietf-httpapi-ratelimit-headers §3, §4. */
function quotaHeaders({ policy = "grant", limit, remaining, resetSeconds }: Quota) {
  return {
    "RateLimit-Policy": `"${policy}";q=${limit};w=60`,
    RateLimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
  };
}

export function rateLimited(id: RequestId | null, quota: Quota): Reply {
  const retryAfterSeconds = quota.resetSeconds;
  const message = `At most ${quota.limit} calls a minute; try again in ${retryAfterSeconds} seconds.`;
  const error = { code: ERROR.rateLimited, message, data: { type: "rate_limited", retryAfterSeconds } };
  return errorReply(429, id, error, { ...quotaHeaders(quota), "Retry-After": String(retryAfterSeconds) });
}

/** RFC 6750 §3 at the transport: only a 401 makes a connector start signing in. */
export function signIn(id: RequestId | null, scopes: readonly string[], deps: McpDeps): Reply {
  const challenge = deps.challenge("sign_in", scopes);
  const error = {
    code: ERROR.authRequired,
    message:
      "Sign in to Microsoft 365 to use this: connect to this server in your assistant and follow its sign-in, or see the authorization server named in resource_metadata.",
    data: {
      type: "auth_required",
      authenticated: false,
      authorization_endpoint: challenge.authorizationEndpoint,
      resource_metadata: challenge.resourceMetadata,
    },
  };
  return errorReply(401, id, error, { "WWW-Authenticate": challenge.wwwAuthenticate });
}

function stepUp(id: RequestId | null, scopes: readonly string[], deps: McpDeps): Reply {
  const challenge = deps.challenge("step_up", scopes);
  const error = {
    code: ERROR.authRequired,
    message: "This needs a permission that was not granted; sign in again to grant it.",
    data: { type: "insufficient_scope", scope: scopes.join(" "), resource_metadata: challenge.resourceMetadata },
  };
  return errorReply(403, id, error, { "WWW-Authenticate": challenge.wwwAuthenticate });
}

export function misconfigured(keys: readonly string[], deps: McpDeps): Reply {
  return { status: 503, body: JSON.stringify({ error: "configuration_error", keys, requestId: deps.requestId }) };
}

function invalidParams(id: RequestId | null, message: string): Reply {
  return errorReply(200, id, { code: ERROR.invalidParams, message });
}
