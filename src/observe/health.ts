import type { Config, ConfigurationProblem } from "../config.ts";
import type { Result } from "../core/result.ts";

interface Check {
  readonly status: "ok" | "failed";
  readonly healthy: boolean;
}

/** What answered when it was asked. */
export interface DeepChecks {
  readonly oauth: Check;
  readonly discovery: Check;
  readonly graphApi: Check;
  readonly durableObjects: Check;
  readonly kvStorage: Check;
}

export interface HealthReport {
  readonly status: "healthy" | "unhealthy";
  readonly healthy: boolean;
  readonly service: string;
  readonly version: string;
  readonly timestamp: string;
  readonly checks: HealthChecks;
}

/** Names and modes, never values. */
export interface HealthChecks extends Partial<DeepChecks> {
  readonly configuration: { readonly healthy: boolean; readonly keys?: readonly string[] };
  readonly access: "configured" | "not configured";
  readonly egress: { readonly healthy: boolean; readonly mode: string; readonly missing?: "AI" | undefined };
}

/** What can be said without asking anybody, and what was asked. Pure. */
export function reportHealth(
  config: Result<Config, ConfigurationProblem>,
  hasGateway: boolean,
  service: { readonly name: string; readonly version: string },
  nowMs: number,
  deep?: DeepChecks,
): HealthReport {
  const healthy = config.ok && hasGateway && Object.values(deep ?? {}).every((check) => check.healthy);
  const settings = config.ok ? config.value : undefined;
  return {
    status: healthy ? "healthy" : "unhealthy",
    healthy,
    service: service.name,
    version: service.version,
    timestamp: new Date(nowMs).toISOString(),
    checks: {
      configuration: config.ok ? { healthy: true } : { healthy: false, ...config.error },
      access: settings?.CF_ACCESS_TEAM_DOMAIN ? "configured" : "not configured",
      egress: {
        healthy: hasGateway,
        mode: settings?.GRAPH_EGRESS_MODE ?? "unknown",
        missing: hasGateway ? undefined : "AI",
      },
      ...deep,
    },
  };
}
