// The product with a store that fails or hangs when told to, and a clock that can be set ahead.
import type { Env } from "../../src/config.ts";
import worker from "../../src/worker.ts";

export { MicrosoftMCPAgent } from "../../src/worker.ts";

const now = Date.now;
const wait = scheduler.wait.bind(scheduler);
let kv = "good";

function storeOf(env: Env): KVNamespace {
  if (kv === "good") return env.OAUTH_KV;
  const get = () => (kv === "hanging" ? new Promise(() => undefined) : Promise.reject(new Error("KV is down")));
  return { get, put: get } as unknown as KVNamespace;
}

export default {
  ...worker,
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/__lab") return worker.fetch(request, { ...env, OAUTH_KV: storeOf(env) }, ctx);
    kv = searchParams.get("kv") ?? kv;
    const aheadMs = Number(searchParams.get("aheadMs"));
    Date.now = () => now() + aheadMs;
    // What waits for seconds waits for a tenth of them.
    scheduler.wait = (milliseconds) => wait(milliseconds / 10);
    return new Response();
  },
};
