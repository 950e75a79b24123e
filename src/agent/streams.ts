import { judgeIdentity, type Perimeter } from "../access/perimeter.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type Pace, POLICY_VIOLATION, REST } from "../mcp/socket.ts";
import { checkAccess } from "../oauth/grant/access.ts";
import type { Grant } from "../oauth/grant/grant.ts";
import type { Trace } from "../oauth/grants.ts";
import { isOurResource } from "../oauth/resource.ts";
import type { Place } from "./mcp-deps.ts";

/** Who comes with what: an access token is shown to its object as SHA-256 of its text. */
export interface Access extends Place {
  readonly gid: string;
  readonly trace: Trace;
  readonly accessHash: string;
  readonly perimeter: Perimeter;
}

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
interface Attachment {
  readonly stream: Stream;
  readonly pace: Pace;
}

/** One person with many windows. */
const MAX_STREAMS = 32;

/** 200: the token is alive, was issued for this server, and comes from whom it was issued to. Else what to answer. */
export function judge(access: Access, grant: Grant | undefined, now: EpochSeconds): 200 | 401 | 403 {
  const granted = checkAccess(grant, access.accessHash, now);
  if (granted === undefined || !isOurResource(granted.authorization.resource, access.origin)) return 401;
  const judged = judgeIdentity(granted.authorization.accessIdentity, access.perimeter);
  return judged === "same" ? 200 : judged === "other" ? 403 : 401;
}

/** The object sleeps while nothing is said; the platform keeps the socket. */
export function openStream(ctx: DurableObjectState, stream: Stream): Response {
  if (ctx.getWebSockets().length >= MAX_STREAMS) return new Response(null, { status: 429 });
  const { 0: client, 1: socket } = new WebSocketPair();
  ctx.acceptWebSocket(socket, [stream.sessionId]);
  remember(socket, { stream, pace: REST });
  return new Response(null, { status: 101, webSocket: client });
}

export function recall(socket: WebSocket): Attachment {
  // `remember` alone writes attachments.
  return socket.deserializeAttachment() as Attachment;
}

export function remember(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}

/**
 * Closes every stream whose token is no longer alive.
 * @returns when time will close the next one
 */
export function reviewStreams(
  sockets: readonly WebSocket[],
  grant: Grant | undefined,
  now: EpochSeconds,
): EpochSeconds | undefined {
  let next: EpochSeconds | undefined;
  for (const socket of sockets) {
    const { stream } = recall(socket);
    if (judge(stream, grant, now) !== 200) socket.close(POLICY_VIOLATION, "The sign-in has ended.");
    else if (next === undefined || stream.expiresAt < next) next = stream.expiresAt;
  }
  return next;
}
