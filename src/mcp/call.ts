import type { JsonObject } from "../core/json.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { Quota } from "../http/rate-limit.ts";
import type { ListMethod, ProtectedMethod } from "./methods.ts";

/** Who asks, as far as a request alone can tell. The grant's object decides the rest. */
export type Caller =
  | { readonly kind: "anonymous" }
  /** Presented a token of our shape that is malformed, forged, expired or of another kind. */
  | { readonly kind: "invalid" }
  /** `call` runs an operation in the caller's grant. */
  | { readonly kind: "signed-in"; readonly call: (call: ProtectedCall) => Promise<CallOutcome> };

/** A protected operation, known to exist. */
export interface ProtectedCall {
  readonly kind: "tool" | "resource";
  readonly name: string;
  readonly arguments: unknown;
  /** Its place in a batch: two equal entries are two calls. */
  readonly entry?: number;
}

/** What came of it. */
export type CallOutcome =
  | { readonly kind: "done"; readonly result: object; readonly quota: Quota }
  /** A resource that could not be read, and why. */
  | { readonly kind: "failed"; readonly message: string; readonly data: object; readonly quota: Quota }
  | { readonly kind: "rate_limited"; readonly quota: Quota }
  | { readonly kind: "unauthorized" }
  /** Somebody else passed Cloudflare Access than the person who approved the grant. */
  | { readonly kind: "identity_mismatch" }
  /** `scopes` are those to ask for: what was granted and what is `missing`. */
  | {
      readonly kind: "insufficient_scope";
      readonly missing: readonly GraphScope[];
      readonly scopes: readonly GraphScope[];
    };

/** A protected operation and what it needs, for the challenge; the grant's object checks it against the token. */
export interface Operation {
  readonly call: ProtectedCall;
  readonly scopes: readonly string[];
}

/** What can be listed and called, for everybody the same. */
export interface Catalog {
  readonly list: (method: ListMethod) => JsonObject;
  /** Undefined when there is no such tool or resource. */
  readonly find: (method: ProtectedMethod, params: JsonObject) => Operation | undefined;
  /** The result of `prompts/get`, or what is wrong with what was asked. */
  readonly prompt: (params: JsonObject) => JsonObject | string;
}

/** What dispatch needs of the world. */
export interface McpDeps {
  readonly caller: Caller;
  readonly catalog: Catalog;
  /** How to sign in, or what to sign in again for. */
  readonly challenge: (problem: "sign_in" | "step_up", scopes: readonly string[]) => Challenge;
  /** Names of wrong configuration values; none means that protected calls can be served. */
  readonly misconfigured: readonly string[];
  readonly requireAuthOnInitialize: boolean;
  readonly requestId: string;
  /** Is told of what should not have happened. */
  readonly fault: (error: unknown) => void;
}

/** The header of a 401 or 403, and what its body says beside it, in the words of the wire. */
export interface Challenge {
  readonly wwwAuthenticate: string;
  readonly authorization_endpoint: string;
  readonly resource_metadata: string;
}
