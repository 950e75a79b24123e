import type { McpDeps } from "../mcp/call.ts";
import { admit, answerOn, type Pace, REST } from "../mcp/socket.ts";

/** A WebSocket without a token: discovery, in the Worker alone and not for long. */
export function serveAnonymous(socket: WebSocket, depsOf: () => McpDeps, clock: () => number): void {
  /** Looking around takes a moment; whoever stays signs in. */
  const IDLE_MILLISECONDS = 60_000;
  const LIFETIME_MILLISECONDS = 600_000;
  let pace: Pace = REST;
  const close = (code: number) => socket.close(code);
  const end = setTimeout(close, LIFETIME_MILLISECONDS, 1000);
  let idle = setTimeout(close, IDLE_MILLISECONDS, 1000);
  socket.addEventListener("message", async ({ data }) => {
    if (socket.readyState !== 1) return;
    clearTimeout(idle);
    idle = setTimeout(close, IDLE_MILLISECONDS, 1000);
    const admitted = admit(data, pace, clock());
    if (typeof admitted === "number") return close(admitted);
    pace = admitted;
    // As the platform answers for a socket of a grant.
    if (data === "ping") return socket.send("pong");
    await answerOn(socket, String(data), depsOf());
  });
  socket.addEventListener("close", () => {
    clearTimeout(end);
    clearTimeout(idle);
  });
  socket.accept();
}
