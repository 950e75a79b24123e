import { utf8 } from "../core/bytes.ts";
import { EVENT_STREAM } from "../mcp/streamable-http.ts";

/**
 * MCP 2024-11-05 transports, HTTP with SSE: the Worker's end of a stream. What the grant's object sends on the socket
 * becomes `message` events; the object sleeps meanwhile, which it could not if it held this response itself.
 * @param endpoint where the client posts its messages
 */
export function eventStream(socket: WebSocket, endpoint: string): Response {
  /** Networks drop a stream that is silent for some minutes; Cloudflare after about 100 seconds. */
  const COMMENT_INTERVAL_MILLISECONDS = 20_000;
  /** A client that posts and does not read gets no further than this. */
  const MAX_WAITING_BYTES = 4_194_304;
  // The platform's own pipe: only a write to it notices that the client has gone, which frees the grant's place.
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const stop = () => {
    clearInterval(timer);
    socket.close();
    writer.close().catch(() => undefined);
  };
  let waitingBytes = 0;
  const write = (text: string) => {
    const bytes = utf8(`${text}\n\n`);
    waitingBytes += bytes.length;
    if (waitingBytes > MAX_WAITING_BYTES) return stop();
    writer.write(bytes).then(() => {
      waitingBytes -= bytes.length;
    }, stop);
  };
  const timer = setInterval(write, COMMENT_INTERVAL_MILLISECONDS, ":");
  writer.closed.catch(stop);
  write(`:\n\nevent: endpoint\ndata: ${endpoint}`);
  socket.addEventListener("message", ({ data }) => write(`event: message\ndata: ${data}`));
  socket.addEventListener("close", stop);
  socket.accept();
  return new Response(readable, { headers: EVENT_STREAM });
}
