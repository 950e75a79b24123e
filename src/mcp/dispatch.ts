import { findTool } from "../tools/index.ts";
import type { Caller, CallOutcome, McpDeps, ProtectedCall } from "./call.ts";
import { catalogText, frame } from "./catalog.ts";
import { ERROR, errorReply, type Reply, type RequestId, resultReply } from "./jsonrpc.ts";
import type { DiscoveryMethod, ProtectedMethod } from "./methods.ts";
import { isDiscoveryMethod } from "./methods.ts";
import { type ClassifiedRequest, type Era, LEGACY_REVISIONS } from "./revisions.ts";
import { CAPABILITIES, INSTRUCTIONS, SERVER_INFO } from "./server-info.ts";

/** Answers one request, whatever transport it came by. */
export async function dispatch(request: ClassifiedRequest, caller: Caller, deps: McpDeps): Promise<Reply> {
  const { id, era, method, params } = request;
  if (isDiscoveryMethod(method)) {
    if (caller.kind === "invalid") return signIn(id, [], deps);
    if (deps.requireAuthOnInitialize && caller.kind === "anonymous") return signIn(id, [], deps);
    return discover({ ...request, method });
  }
  // MCP 2025-11-25 tools: what does not exist is said before anybody is asked to sign in.
  const operation = readOperation(method, params);
  if (operation === undefined) return unknownOperation(method, request);
  if (deps.misconfigured.length > 0) return misconfigured(id, deps.misconfigured, deps);
  if (caller.kind !== "signed-in") return signIn(id, operation.scopes, deps);
  return present(await deps.call(caller, operation.call), operation.scopes, { id, era, deps });
}

function discover(request: ClassifiedRequest & { readonly method: DiscoveryMethod }): Reply {
  const { id, era, method, params } = request;
  switch (method) {
    case "initialize":
      return resultReply(id, JSON.stringify(initialize(params.protocolVersion)));
    case "ping":
      return resultReply(id, "{}");
    case "server/discover":
      return resultReply(id, catalogText(method, era));
    case "tools/list":
    case "resources/list":
    case "resources/templates/list":
    case "prompts/list":
      // Every list is one page, so a cursor can only be invented.
      if (params.cursor !== undefined) return invalidParams(id, "There are no further pages; leave out cursor.");
      return resultReply(id, catalogText(method, era));
    case "prompts/get":
      return invalidParams(id, "There is no prompt of this name.");
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

interface Operation {
  readonly call: ProtectedCall;
  /** What it needs, for the challenge; the grant's object checks it against the token. */
  readonly scopes: readonly string[];
}

function readOperation(method: ProtectedMethod, params: ClassifiedRequest["params"]): Operation | undefined {
  if (method !== "tools/call" || typeof params.name !== "string") return undefined;
  const tool = findTool(params.name);
  if (tool === undefined) return undefined;
  return { call: { kind: "tool", name: tool.name, arguments: params.arguments }, scopes: tool.scopes };
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
    case "done":
      return resultReply(id, JSON.stringify(frame({ ...outcome.result }, era)));
    case "unauthorized":
      return signIn(id, needed, deps);
    case "insufficient_scope":
      return stepUp(id, outcome.scopes, deps);
    case "misconfigured":
      return misconfigured(id, outcome.keys, deps);
  }
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

function misconfigured(_id: RequestId | null, keys: readonly string[], deps: McpDeps): Reply {
  return { status: 503, body: JSON.stringify({ error: "configuration_error", keys, requestId: deps.requestId }) };
}

function invalidParams(id: RequestId | null, message: string): Reply {
  return errorReply(200, id, { code: ERROR.invalidParams, message });
}
