import type { EpochSeconds } from "../core/time.ts";
import { type Pace, POLICY_VIOLATION, REST } from "../mcp/socket.ts";
import type { Grant } from "../oauth/grant/grant.ts";
import { type Access, judge } from "./access.ts";

/** A WebSocket of a client, or of the Worker that holds a 2024-11-05 stream for one. */
export interface Stream extends Access {
  /** Unguessable; names a 2024-11-05 stream in the URL that its client posts to. */
  readonly sessionId: string;
  /** That of the access token. */
  readonly expiresAt: EpochSeconds;
}

/** The upgrade request carries its `Stream` as JSON in this header, for want of another place. */
export const STREAM_HEADER = "X-Stream";

/** What a socket remembers while its object sleeps. */
export interface Attachment {
  readonly stream: Stream;
  readonly pace: Pace;
}

/** The object sleeps while nothing is said; the platform keeps the socket. */
export function openStream(ctx: DurableObjectState, stream: Stream): Response {
  /** One person with many windows. */
  const MAX_STREAMS = 32;
  if (ctx.getWebSockets().length >= MAX_STREAMS) return new Response(null, { status: 429 });
  const { 0: client, 1: socket } = new WebSocketPair();
  ctx.acceptWebSocket(socket, [stream.sessionId]);
  socket.serializeAttachment({ stream, pace: REST } satisfies Attachment);
  return new Response(null, { status: 101, webSocket: client });
}

export function recall(socket: WebSocket): Attachment {
  // Nothing else is ever attached.
  return socket.deserializeAttachment() as Attachment;
}

/**
 * Closes every stream whose token is no longer alive.
 * @returns when time will close the next one
 */
export function reviewStreams(sockets: readonly WebSocket[], grant: Grant | undefined, now: EpochSeconds): number {
  let next = Infinity;
  for (const socket of sockets) {
    const { stream } = recall(socket);
    if (!judge(stream, grant, now).ok) socket.close(POLICY_VIOLATION, "The sign-in has ended.");
    else next = Math.min(next, stream.expiresAt);
  }
  return next;
}
