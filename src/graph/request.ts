import type { GraphPath } from "./url.ts";

/** One request to Graph as a tool describes it: what, not how. */
export interface GraphRequest {
  readonly method: "GET" | "POST" | "PATCH";
  readonly path: GraphPath;
  /** All preferences; they share one header (Graph: RFC 7240). */
  readonly prefer?: readonly string[];
  readonly body?: object;
  /** A write that Graph itself makes idempotent (`transactionId`), so that it may be sent again. */
  readonly isIdempotent?: boolean;
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
