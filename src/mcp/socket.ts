import { utf8 } from "../core/bytes.ts";
import type { McpDeps } from "./call.ts";
import { answer } from "./dispatch.ts";
import { MAX_MESSAGE_BYTES, readText } from "./streamable-http.ts";

/** What a socket sent in its current minute. */
export interface Pace {
  readonly sinceMs: number;
  readonly messages: number;
  readonly bytes: number;
}

export const REST: Pace = { sinceMs: 0, messages: 0, bytes: 0 };

/** Far above what an assistant asks, far below what would hurt. */
const MAX_MESSAGES_A_MINUTE = 1000;
const MAX_BYTES_A_MINUTE = 10_000_000;

/** The token has ended, or the socket sent too much (RFC 6455 §7.4.1). */
export const POLICY_VIOLATION = 1008;

/** @returns the pace with this message, or the code to close with (RFC 6455 §7.4.1) */
export function admit(data: unknown, pace: Pace, nowMs: number): Pace | 1003 | 1008 | 1009 {
  if (typeof data !== "string") return 1003;
  const size = utf8(data).length;
  if (size > MAX_MESSAGE_BYTES) return 1009;
  const { sinceMs, messages, bytes } = nowMs - pace.sinceMs < 60_000 ? pace : { ...REST, sinceMs: nowMs };
  const next = { sinceMs, messages: messages + 1, bytes: bytes + size };
  return next.messages > MAX_MESSAGES_A_MINUTE || next.bytes > MAX_BYTES_A_MINUTE ? POLICY_VIOLATION : next;
}

/** RFC 6455 §4.2.2: of the subprotocols offered we speak one. */
export function upgraded(webSocket: WebSocket, request: Request): Response {
  const offered = (request.headers.get("Sec-WebSocket-Protocol") ?? "").split(/ *, */);
  return new Response(null, {
    status: 101,
    webSocket,
    headers: offered.includes("mcp") ? { "Sec-WebSocket-Protocol": "mcp" } : {},
  });
}

/** Answers one message of a socket, where there are neither headers nor a status. */
export async function answerOn(socket: Pick<WebSocket, "send" | "readyState">, text: string, deps: McpDeps) {
  const reply = await answer(readText(text), deps);
  // 1 is OPEN; the client may have gone in the meantime.
  if (reply && socket.readyState === 1) socket.send(reply.body);
}
