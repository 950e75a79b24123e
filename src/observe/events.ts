import type { LEVELS } from "../config.ts";
import type { HealthChecks } from "./health.ts";

export type Level = (typeof LEVELS)[number];

interface Message<L extends Level, M extends string> {
  readonly level: L;
  readonly message: M;
}

/** Fields that more than one event carries; what is undefined does not appear. */
interface Common {
  readonly userId?: string | undefined;
  readonly tool?: string | undefined;
  readonly durationMs?: number | undefined;
  readonly status?: number | undefined;
  /** A stable reason out of one of our unions. */
  readonly code?: string | undefined;
  readonly context?: string | undefined;
}

/**
 * Everything the product ever logs. A field that is not here cannot be logged: adding one is a change to this file.
 * Never a token, secret, code, cookie, address of a correspondent, subject, query, file name or body.
 */
export type LogEvent = Common &
  (
    | Message<"DEBUG", "request">
    | (Message<"ERROR", "unexpected fault"> & { readonly error: string })
    | (Message<"ERROR", "configuration error"> & { readonly metadata: { readonly keys: readonly string[] } })
    | (Message<"INFO" | "WARN", "OAuth request refused"> & {
        readonly metadata?: { readonly clientId?: string | undefined };
      })
    | (Message<"INFO", "OAuth client registered"> & { readonly metadata: ClientFacts })
    | (Message<"INFO", "OAuth grant approved" | "OAuth grant denied"> & { readonly metadata: ApprovalFacts })
    | (Message<"INFO", "OAuth sign-in completed" | "OAuth token revoked"> & { readonly metadata: ApprovalFacts })
    | (Message<"WARN", "Authentication with Microsoft failed"> & { readonly metadata: EntraFacts })
    | (Message<"ERROR", "Authentication of this server at Microsoft failed"> & { readonly metadata: EntraFacts })
    | (Message<"WARN", "Authentication by Cloudflare Access failed"> & {
        readonly metadata?: { readonly accessIdentity?: string | undefined };
      })
    | (Message<"INFO" | "ERROR", "health check"> & { readonly metadata: HealthChecks })
    | Message<"INFO", "OAuth code redeemed" | "OAuth tokens refreshed">
    | (Message<"INFO" | "WARN", "OAuth grant ended"> & { readonly metadata: ApprovalFacts })
    | (Message<"INFO", "OAuth person revoked"> & {
        readonly metadata: { readonly ended: number; readonly failed: number };
      })
    | Message<"INFO", "Microsoft token refreshed">
    | (Message<"INFO" | "WARN", `tool: ${string}`> & { readonly metadata: CallFacts })
    | (Message<"WARN", "Graph API error"> & { readonly metadata?: GraphFacts })
    | (Message<"DEBUG", "Graph call"> & { readonly metadata: GraphFacts })
  );

interface ClientFacts {
  readonly clientId: string;
  readonly redirectHosts: readonly string[];
  readonly authMethod: string;
}

interface ApprovalFacts {
  readonly clientId: string;
  readonly redirectHost: string;
  readonly scopes: readonly string[];
  readonly accessIdentity: string | null;
}

interface EntraFacts {
  /** Entra's numeric AADSTS codes and trace id, which name no person. */
  readonly errorCodes: readonly number[];
  readonly traceId?: string | undefined;
}

interface CallFacts {
  readonly binding: "MCP_OBJECT";
  readonly clientId: string;
  readonly accessIdentity: string | null;
  readonly aiGatewayLogId: string | null;
  readonly graphRequestIds: readonly string[];
}

interface GraphFacts {
  readonly aiGatewayLogId: string | null;
  readonly graphRequestId?: string | undefined;
  readonly attempt: number;
}
