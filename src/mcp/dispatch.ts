import { describeSpent, type Quota, quotaHeaders, refusalHeaders } from "../http/rate-limit.ts";
import type { CallOutcome, McpDeps } from "./call.ts";
import { catalogText, frame } from "./catalog.ts";
import { errorReply, type Reply, type RequestId, resultReply } from "./jsonrpc.ts";
import { isProtected, type Method, type ProtectedMethod } from "./methods.ts";
import { type Classified, type ClassifiedRequest, LEGACY_REVISIONS } from "./revisions.ts";
import { CAPABILITIES, INSTRUCTIONS, SERVER_INFO } from "./server-info.ts";

/** Answers one message, whatever transport it came by; undefined when it asks for no answer. */
export async function answer(message: Classified, deps: McpDeps): Promise<Reply | undefined> {
  if (message.kind === "refused") return message.reply;
  if (message.kind === "response") return undefined;
  const { kind } = deps.caller;
  // Even discovery is refused to a token that must be renewed, and to nobody where a server wants one from the start.
  const isOutside = kind === "invalid" || (kind === "anonymous" && deps.requireAuthOnInitialize);
  if (message.kind === "notification") return isOutside ? signIn(null, [], deps) : undefined;
  const { id, method } = message;
  try {
    if (isProtected(method)) return await run(message, method, deps);
    return isOutside ? signIn(id, [], deps) : discover(message, method, deps);
  } catch (error) {
    deps.fault(error);
    return errorReply(500, id, -32603, "An unexpected fault here.", { requestId: deps.requestId });
  }
}

function discover(
  { id, era, params }: ClassifiedRequest,
  method: Exclude<Method, ProtectedMethod>,
  { catalog }: McpDeps,
): Reply {
  if (method === "ping") return resultReply(id, "{}");
  if (method === "initialize") {
    // MCP lifecycle: the revision asked for where we know it, else our newest that begins with a handshake.
    const known = LEGACY_REVISIONS.find((revision) => revision === params.protocolVersion);
    const protocolVersion = known ?? LEGACY_REVISIONS[0];
    const result = { protocolVersion, capabilities: CAPABILITIES, serverInfo: SERVER_INFO, instructions: INSTRUCTIONS };
    return resultReply(id, JSON.stringify(result));
  }
  if (method === "prompts/get") {
    const prompt = catalog.prompt(params);
    return typeof prompt === "string" ? invalidParams(id, prompt) : resultReply(id, JSON.stringify(frame(prompt, era)));
  }
  // Every list is one page, so a cursor can only be invented; null is how some serialisers leave one out.
  return params.cursor == null || method === "server/discover"
    ? resultReply(id, catalogText(catalog, method, era))
    : invalidParams(id, "There is one page; leave out cursor.");
}

async function run({ id, era, params }: ClassifiedRequest, method: ProtectedMethod, deps: McpDeps): Promise<Reply> {
  const { caller, catalog } = deps;
  // MCP 2025-11-25 tools: what does not exist is said before anybody is asked to sign in.
  const operation = catalog.find(method, params);
  if (!operation) {
    if (method === "tools/call") return invalidParams(id, "No such tool; see tools/list.");
    const { uri } = params;
    if (typeof uri !== "string") return invalidParams(id, "uri must be a text; see resources/list.");
    // MCP 2026-07-28 server/resources moved this from -32002 to -32602.
    const code = era === "modern" ? -32602 : -32002;
    return errorReply(200, id, code, "No such resource; see resources/list.", { uri: uri.slice(0, 512) });
  }
  if (deps.misconfigured.length > 0) return misconfigured(deps);
  const outcome: CallOutcome =
    caller.kind === "signed-in" ? await caller.call(operation.call) : { kind: "unauthorized" };
  switch (outcome.kind) {
    case "done": {
      // Resources alone have contents, and only they may be kept, though not by others and not for long.
      const caching = "contents" in outcome.result ? { ttlMs: 0, cacheScope: "private" } : {};
      const text = JSON.stringify(frame({ ...outcome.result }, era, caching));
      return resultReply(id, text, quotaHeaders(outcome.quota));
    }
    case "failed":
      return errorReply(200, id, -32603, outcome.message, outcome.data, quotaHeaders(outcome.quota));
    case "rate_limited":
      return rateLimited(id, outcome.quota);
    case "unauthorized":
      return signIn(id, operation.scopes, deps);
    case "identity_mismatch":
      return identityMismatch(id);
    case "insufficient_scope":
      return stepUp(id, outcome, deps);
  }
}

function invalidParams(id: RequestId | null, message: string): Reply {
  return errorReply(200, id, -32602, message);
}

/** Not a sign-in problem: a 401 would make the client sign in as whoever sits there. */
export function identityMismatch(id: RequestId | null): Reply {
  const message = "Somebody else approved this sign-in; sign in as yourself.";
  return errorReply(403, id, -32001, message, { type: "access_denied" });
}

export function rateLimited(id: RequestId | null, quota: Quota): Reply {
  const data = { type: "rate_limited", retryAfterSeconds: quota.resetSeconds };
  return errorReply(429, id, 429, describeSpent(quota), data, refusalHeaders(quota));
}

/** RFC 6750 §3 at the transport: only a 401 makes a connector start signing in. */
export function signIn(id: RequestId | null, scopes: readonly string[], deps: McpDeps): Reply {
  const message =
    "Sign in to Microsoft 365 to use this: connect to this server in your assistant, or see resource_metadata.";
  const { wwwAuthenticate, ...places } = deps.challenge("sign_in", scopes);
  const data = { type: "auth_required", authenticated: false, ...places };
  return errorReply(401, id, -32001, message, data, { "WWW-Authenticate": wwwAuthenticate });
}

function stepUp(
  id: RequestId | null,
  { missing, scopes }: Extract<CallOutcome, { kind: "insufficient_scope" }>,
  deps: McpDeps,
): Reply {
  const { wwwAuthenticate, ...places } = deps.challenge("step_up", scopes);
  const message = `This needs ${missing.join(" and ")}, which was not granted; sign in again to grant it.`;
  const data = { type: "insufficient_scope", scope: scopes.join(" "), ...places };
  return errorReply(403, id, -32001, message, data, { "WWW-Authenticate": wwwAuthenticate });
}

/** Nothing in it is JSON-RPC: whoever operates the server has to act, not the client. */
export function misconfigured({ misconfigured: keys, requestId }: McpDeps): Reply {
  return { status: 503, body: JSON.stringify({ error: "configuration_error", keys, requestId }) };
}
