// The Worker, counting how often an object came to life.
import type { Env } from "../../src/config.ts";
import worker, { MicrosoftMCPAgent as Agent } from "../../src/worker.ts";

/** Worker and objects share one isolate. */
let births = 0;

export class MicrosoftMCPAgent extends Agent {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    births += 1;
  }
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    return new URL(request.url).pathname === "/__births" ? Response.json(births) : worker.fetch(request, env, ctx);
  },
};
