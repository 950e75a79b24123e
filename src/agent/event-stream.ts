import { utf8 } from "../core/bytes.ts";

/** Networks drop a stream that is silent for some minutes; Cloudflare after about 100 seconds. */
const COMMENT_INTERVAL_MILLISECONDS = 20_000;

/**
 * MCP 2024-11-05 transports, HTTP with SSE: the Worker's end of a stream. What the grant's object sends on the socket
 * becomes `message` events; the object sleeps meanwhile, which it could not if it held this response itself.
 * @param endpoint where the client posts its messages
 */
export function eventStream(socket: WebSocket, endpoint: string): Response {
  let timer: ReturnType<typeof setInterval>;
  const body = new ReadableStream({
    start(controller) {
      const write = (text: string) => controller.enqueue(utf8(`${text}\n\n`));
      const end = () => {
        clearInterval(timer);
        controller.close();
      };
      write(`:\n\nevent: endpoint\ndata: ${endpoint}`);
      timer = setInterval(write, COMMENT_INTERVAL_MILLISECONDS, ":");
      socket.addEventListener("message", ({ data }) => write(`event: message\ndata: ${data}`));
      socket.addEventListener("close", end);
      socket.accept();
    },
    cancel() {
      clearInterval(timer);
      socket.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" } });
}
