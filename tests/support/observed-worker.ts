// The Worker with limiters that fail and a METRICS that can be read. Everything else is the product.
import type { Env } from "../../src/config.ts";
import worker, { MicrosoftMCPAgent as Agent } from "../../src/worker.ts";

/** Worker and objects share one isolate. */
const points: AnalyticsEngineDataPoint[] = [];
const METRICS = { writeDataPoint: (point: AnalyticsEngineDataPoint) => void points.push(point) };

const LIMITERS = ["REGISTER", "AUTHORIZE", "APPROVE", "TOKEN", "REVOKE", "CALLS"].map((name) => `LIMIT_${name}`);
const BROKEN: RateLimit = { limit: () => Promise.reject(new Error("the limiter is out of order")) };
const BROKEN_LIMITERS = Object.fromEntries(LIMITERS.map((name) => [name, BROKEN]));

export class MicrosoftMCPAgent extends Agent {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, METRICS });
  }
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname === "/__points") return Response.json(points);
    return worker.fetch(request, { ...env, ...BROKEN_LIMITERS }, ctx);
  },
};
