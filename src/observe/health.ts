import type { Config, ConfigurationProblem } from "../config.ts";
import type { Result } from "../core/result.ts";

export interface HealthReport {
  readonly status: "healthy" | "unhealthy";
  readonly healthy: boolean;
  readonly service: string;
  readonly version: string;
  readonly timestamp: string;
  readonly checks: { readonly [name: string]: unknown };
}

/** What can be said without asking anybody: names and modes, never values. Pure. */
export function shallowHealth(
  config: Result<Config, ConfigurationProblem>,
  hasGateway: boolean,
  service: { readonly name: string; readonly version: string },
  nowMs: number,
): HealthReport {
  const isHealthy = config.ok && hasGateway;
  const access = config.ok && config.value.CF_ACCESS_TEAM_DOMAIN !== undefined ? "configured" : "not configured";
  return {
    status: isHealthy ? "healthy" : "unhealthy",
    healthy: isHealthy,
    service: service.name,
    version: service.version,
    timestamp: new Date(nowMs).toISOString(),
    checks: {
      configuration: config.ok ? { healthy: true } : { healthy: false, keys: config.error.keys },
      access,
      egress: {
        healthy: hasGateway,
        mode: config.ok ? config.value.GRAPH_EGRESS_MODE : "unknown",
        ...(hasGateway ? {} : { missing: "AI" }),
      },
    },
  };
}
