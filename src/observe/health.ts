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

/** What a report is made of. */
export interface Circumstances {
  readonly config: Result<Config, ConfigurationProblem>;
  readonly env: { readonly AI?: unknown };
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** What can be said without asking anybody, and what came of asking. */
export function reportHealth(
  { config, env, clock }: Circumstances,
  { name, version }: { readonly name: string; readonly version: string },
  deep?: DeepChecks,
): HealthReport {
  const settings = config.ok ? config.value : undefined;
  const missing = env.AI ? undefined : "AI";
  const healthy = config.ok && !missing && Object.values(deep ?? {}).every((check) => check.healthy);
  return {
    status: healthy ? "healthy" : "unhealthy",
    healthy,
    service: name,
    version,
    timestamp: new Date(clock()).toISOString(),
    checks: {
      configuration: config.ok ? { healthy: true } : { healthy: false, ...config.error },
      access: settings?.CF_ACCESS_TEAM_DOMAIN ? "configured" : "not configured",
      egress: { healthy: !missing, mode: settings?.GRAPH_EGRESS_MODE ?? "unknown", missing },
      ...deep,
    },
  };
}
