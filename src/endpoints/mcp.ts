import { isAccessRequired } from "../access/perimeter.ts";
import { serveAnonymous } from "../agent/anonymous-socket.ts";
import { eventStream } from "../agent/event-stream.ts";
import { mcpDeps, type Place } from "../agent/mcp-deps.ts";
import { type Access, STREAM_HEADER, type Stream } from "../agent/streams.ts";
import { epochSeconds } from "../core/time.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret, randomUuid } from "../crypto/random.ts";
import type { Token } from "../crypto/token.ts";
import { jsonError } from "../http/responses.ts";
import type { Caller, McpDeps } from "../mcp/call.ts";
import { identityMismatch, rateLimited, signIn } from "../mcp/dispatch.ts";
import { upgraded } from "../mcp/socket.ts";
import { answerPost, answerStreamPost, refuseStream, respond, wantsStream } from "../mcp/streamable-http.ts";
import { claimsToBeOurs, readBearer } from "../oauth/bearer.ts";
import { tokenKeys } from "../oauth/context.ts";
import { type Exchange, grantObject } from "./exchange.ts";
import { spentQuota } from "./limits.ts";

/** POST: a message to answer here, or one for a 2024-11-05 stream. */
export async function mcpPost(exchange: Exchange): Promise<Response> {
  const { request, url, env } = exchange;
  const { deps, token } = await identify(exchange);
  const sessionId = url.searchParams.get("sessionId");
  if (url.pathname === "/mcp" || (url.pathname === "/sse" && sessionId === null)) return answerPost(request, deps);
  return answerStreamPost(request, deps, async (message) => {
    if (token === undefined) return undefined;
    const spent = await spentQuota("LIMIT_CALLS", exchange);
    if (spent !== undefined) return rateLimited(message.id, spent);
    const access = await accessOf(exchange, token);
    return grantObject(env, token.gid).post({ ...access, sessionId: sessionId ?? "", message });
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
  const { deps, token } = await identify(exchange);
  if (isUpgrade && deps.caller.kind === "anonymous") {
    const spent = await spentQuota("LIMIT_CALLS", exchange);
    if (spent !== undefined) return respond(rateLimited(null, spent), request);
    const { 0: client, 1: socket } = new WebSocketPair();
    // Nothing protected runs here, so what is not configured is not missed; each message has an id of its own.
    serveAnonymous(socket, () => ({ ...deps, requestId: randomUuid(), misconfigured: [] }), exchange.clock);
    return upgraded(client, request);
  }
  const refusal = refuseStream(deps);
  if (refusal !== undefined || token === undefined) return respond(refusal, request);
  if (!isUpgrade && url.pathname !== "/sse") return undefined;
  const stream: Stream = {
    ...(await accessOf(exchange, token)),
    sessionId: randomSecret(),
    expiresAt: token.expiresAt,
  };
  const { webSocket, status } = await grantObject(env, token.gid).fetch("https://grant/", {
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

/**
 * Where `oauth` and `mcp` meet: a bearer becomes a caller. One HMAC at most and no storage. Without keys nobody is
 * known; protected calls then name what is not configured.
 */
async function identify(exchange: Exchange): Promise<{ readonly deps: McpDeps; readonly token: Token | undefined }> {
  const { request, env, config, nowMs } = exchange;
  const header = request.headers.get("Authorization");
  const bearer =
    config.ok && claimsToBeOurs(header)
      ? await readBearer(header, await tokenKeys(config.value), epochSeconds(nowMs))
      : undefined;
  const token = bearer?.kind === "valid" ? bearer.token : undefined;
  const caller: Caller = token
    ? {
        kind: "signed-in",
        call: async (call) => {
          const quota = await spentQuota("LIMIT_CALLS", exchange);
          if (quota !== undefined) return { kind: "rate_limited", quota };
          return grantObject(env, token.gid).call({ ...(await accessOf(exchange, token)), call });
        },
      }
    : { kind: bearer?.kind === "invalid" ? "invalid" : "anonymous" };
  return { deps: mcpDeps(caller, placeOf(exchange), config, exchange), token };
}

/** `/sse/message` belongs to `/sse`. */
function placeOf({ origin, url }: Exchange): Place {
  return { origin, path: url.pathname === "/mcp" ? "/mcp" : "/sse" };
}

/** What the grant's object is told of a caller: never the token itself. */
async function accessOf(exchange: Exchange, { gid, text }: Token): Promise<Access> {
  const { requestId, clientType, config, access: identity, url } = exchange;
  const perimeter = { identity, isRequired: config.ok && isAccessRequired(config.value, url.pathname) };
  return { ...placeOf(exchange), gid, trace: { requestId, clientType }, accessHash: await sha256(text), perimeter };
}
