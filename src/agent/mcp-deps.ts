import type { Config, ConfigurationProblem } from "../config.ts";
import type { Result } from "../core/result.ts";
import type { Caller, McpDeps } from "../mcp/call.ts";
import { CATALOG } from "../mcp/catalog.ts";
import { signInChallenge, stepUpChallenge } from "../oauth/challenge.ts";
import { resourceMetadataUrl } from "../oauth/metadata.ts";
import { faultsTo, type Log } from "../observe/log.ts";

/** Where an MCP message arrived: our origin, and `/sse` or `/mcp`. */
export interface Place {
  readonly origin: string;
  readonly path: string;
}

/** What MCP works with, in the Worker and in a grant's object alike. */
export function mcpDeps(
  caller: Caller,
  { origin, path }: Place,
  config: Result<Config, ConfigurationProblem>,
  { requestId, log }: { readonly requestId: string; readonly log: Log },
): McpDeps {
  return {
    caller,
    catalog: CATALOG,
    challenge: (problem, scopes) => ({
      wwwAuthenticate: (problem === "sign_in" ? signInChallenge : stepUpChallenge)(origin, path, scopes),
      authorization_endpoint: `${origin}/authorize`,
      resource_metadata: resourceMetadataUrl(origin, path),
    }),
    misconfigured: config.ok ? [] : config.error.keys,
    requireAuthOnInitialize: config.ok && config.value.REQUIRE_AUTH_ON_INITIALIZE,
    requestId,
    fault: faultsTo(log),
  };
}
