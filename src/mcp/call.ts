import type { EpochSeconds } from "../core/time.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { ToolResult } from "../tools/result.ts";

/** Who asks, as far as a request alone can tell. The grant's object decides the rest. */
export type Caller =
  | { readonly kind: "anonymous" }
  /** Presented a token of our shape that is malformed, forged, expired or of another kind. */
  | { readonly kind: "invalid" }
  | {
      readonly kind: "signed-in";
      readonly gid: string;
      readonly accessToken: string;
      readonly expiresAt: EpochSeconds;
    };

export type SignedIn = Extract<Caller, { kind: "signed-in" }>;

/** A protected operation, known to exist. */
export interface ProtectedCall {
  readonly kind: "tool";
  readonly name: string;
  readonly arguments: unknown;
}

/** What came of it. */
export type CallOutcome =
  | { readonly kind: "done"; readonly result: ToolResult }
  | { readonly kind: "unauthorized" }
  | { readonly kind: "insufficient_scope"; readonly scopes: readonly GraphScope[] }
  | { readonly kind: "misconfigured"; readonly keys: readonly string[] };

/** What dispatch needs of the world; `routes.ts` provides it. */
export interface McpDeps {
  /** Runs an operation in the caller's grant. */
  readonly call: (caller: SignedIn, call: ProtectedCall) => Promise<CallOutcome>;
  /** The `WWW-Authenticate` value and where to sign in. */
  readonly challenge: (problem: "sign_in" | "step_up", scopes: readonly string[]) => Challenge;
  /** Names of wrong configuration values; none means that protected calls can be served. */
  readonly misconfigured: readonly string[];
  readonly requireAuthOnInitialize: boolean;
  readonly requestId: string;
}

export interface Challenge {
  readonly wwwAuthenticate: string;
  readonly authorizationEndpoint: string;
  readonly resourceMetadata: string;
}
