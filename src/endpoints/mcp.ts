import { isAccessRequired } from "../access/perimeter.ts";
import { serveAnonymous } from "../agent/anonymous-socket.ts";
import { eventStream } from "../agent/event-stream.ts";
import { mcpDeps } from "../agent/mcp-deps.ts";
import { STREAM_HEADER, type Stream } from "../agent/streams.ts";
import { epochSeconds } from "../core/time.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret, randomUuid } from "../crypto/random.ts";
import { jsonError } from "../http/responses.ts";
import type { Caller, CallOutcome, McpDeps, ProtectedCall } from "../mcp/call.ts";
import { identityMismatch, rateLimited, signIn } from "../mcp/dispatch.ts";
import { isProtected } from "../mcp/methods.ts";
import { upgraded } from "../mcp/socket.ts";
import { answerPost, answerStreamPost, refuseStream, respond, wantsStream } from "../mcp/streamable-http.ts";
import { readBearer } from "../oauth/bearer.ts";
import { type Exchange, grantObject } from "./exchange.ts";
import { spentQuota } from "./limits.ts";

/** POST: a message to answer here, or one for a 2024-11-05 stream. */
export async function mcpPost(exchange: Exchange): Promise<Response> {
  const { request, url, env } = exchange;
  const { deps, access } = await identify(exchange);
  const sessionId = url.searchParams.get("sessionId");
  if (url.pathname === "/mcp" || (url.pathname === "/sse" && sessionId === null)) return answerPost(request, deps);
  return answerStreamPost(request, deps, async (message) => {
    if (!access) return undefined;
    // D-38: discovery and notifications are not limited, on a stream as anywhere.
    const isCall = message.kind === "request" && isProtected(message.method);
    const spent = isCall && (await spentQuota("LIMIT_CALLS", exchange));
    return spent
      ? rateLimited(message.id, spent)
      : grantObject(env, access.gid).post({ ...access, sessionId: sessionId ?? "", message });
  });
}

/** GET: a WebSocket or a 2024-11-05 stream; undefined where neither is asked for. */
export async function mcpGet(exchange: Exchange): Promise<Response | undefined> {
  const { request, url, requestId, env } = exchange;
  const { headers } = request;
  const isUpgrade = headers.get("Upgrade")?.toLowerCase() === "websocket";
  if (!isUpgrade) {
    if (headers.has("Sec-WebSocket-Key") || headers.has("Sec-WebSocket-Version")) {
      const hint = "Send Upgrade: websocket, or POST a message.";
      return jsonError(426, "upgrade_required", hint, requestId, { Upgrade: "websocket" });
    }
    if (!wantsStream(request)) return undefined;
  }
  const { deps, access } = await identify(exchange);
  // RL-01: the limiter of addresses never sees the messages of a socket, so it counts its opening.
  const spent = isUpgrade && (await spentQuota("LIMIT_CALLS", exchange));
  if (spent) return respond(rateLimited(null, spent), request);
  if (isUpgrade && deps.caller.kind === "anonymous") {
    const { 0: client, 1: socket } = new WebSocketPair();
    // Nothing protected runs here, so what is not configured is not missed; each message has an id of its own.
    serveAnonymous(socket, () => ({ ...deps, requestId: randomUuid(), misconfigured: [] }), exchange.clock);
    return upgraded(client, request);
  }
  const refusal = refuseStream(deps);
  if (refusal || !access) return respond(refusal, request);
  if (!isUpgrade && url.pathname !== "/sse") return undefined;
  const stream: Stream = { ...access, sessionId: randomSecret() };
  const { webSocket, status } = await grantObject(env, access.gid).fetch("https://grant/", {
    headers: { Upgrade: "websocket", [STREAM_HEADER]: JSON.stringify(stream) },
  });
  if (status === 401) return respond(signIn(null, [], deps), request);
  if (status === 403) return respond(identityMismatch(null), request);
  if (webSocket === null) {
    return jsonError(429, "too_many_streams", "Close another stream first.", requestId, { "Retry-After": "60" });
  }
  return isUpgrade
    ? upgraded(webSocket, request)
    : eventStream(webSocket, `/sse/message?sessionId=${stream.sessionId}`);
}

interface Identified {
  readonly deps: McpDeps;
  /** What the grant's object is told of a caller with a token of ours: never the token itself. */
  readonly access?: Omit<Stream, "sessionId">;
}

/**
 * Where `oauth` and `mcp` meet: a bearer becomes a caller. One HMAC at most and no storage. Without keys nobody is
 * known; protected calls then name what is not configured.
 */
async function identify(exchange: Exchange): Promise<Identified> {
  const { request, url, env, origin, config, clock, requestId, clientType, access: identity } = exchange;
  // `/sse/message` belongs to `/sse`.
  const place = { origin, path: url.pathname === "/mcp" ? "/mcp" : "/sse" };
  const depsOf = (caller: Caller) => mcpDeps(caller, place, config, exchange);
  const header = request.headers.get("Authorization");
  if (!config.ok || header === null) return { deps: depsOf({ kind: "anonymous" }) };
  const bearer = await readBearer(header, config.value, epochSeconds(clock()));
  if (bearer.kind === "none") return { deps: depsOf({ kind: "anonymous" }) };
  if (bearer.kind === "invalid") return { deps: depsOf({ kind: "invalid" }) };
  const { gid, text, expiresAt } = bearer.token;
  const perimeter = { identity, isRequired: isAccessRequired(config.value, url.pathname) };
  const trace = { requestId, clientType };
  const access = { ...place, gid, trace, accessHash: await sha256(text), perimeter, expiresAt };
  const call = async (call: ProtectedCall): Promise<CallOutcome> => {
    const quota = await spentQuota("LIMIT_CALLS", exchange);
    return quota ? { kind: "rate_limited", quota } : grantObject(env, gid).call({ ...access, call });
  };
  return { deps: depsOf({ kind: "signed-in", call }), access };
}
