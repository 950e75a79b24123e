import type { FailureType } from "./failure.ts";
import type { GraphPath } from "./url.ts";

/** One request to Graph as a tool describes it: what, not how. */
export interface GraphRequest {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: GraphPath;
  /** All preferences; they share one header (Graph: RFC 7240). */
  readonly prefer?: readonly string[];
  readonly body?: object;
  /** A POST that may be sent again: it changes nothing, or Graph recognises it (`transactionId`). */
  readonly isIdempotent?: true;
  /** Milliseconds to let Graph finish what the request before began. */
  readonly afterMs?: number;
  /** Failures that end the steps and not the call: what was reached so far is the result. */
  readonly tolerates?: readonly FailureType[] | "all" | undefined;
}

/** What Graph answered to a request that it carried out. */
export interface GraphAnswer {
  readonly status: number;
  /** Parsed JSON, or undefined where Graph answers without a body (202, 204). */
  readonly body: unknown;
  /** Microsoft's own id of the request, for their support. */
  readonly graphRequestId: string | undefined;
  readonly aiGatewayLogId: string | null;
}
