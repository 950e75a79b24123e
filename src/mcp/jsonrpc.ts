/** JSON-RPC 2.0 as MCP uses it. */

/** Echoed exactly as received: `0` and `""` are ids like any other. */
export type RequestId = string | number;

export const ERROR = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Sign-in or a scope is missing; always with HTTP 401 or 403. */
  authRequired: -32001,
  /** MCP 2025-11-25 resources; the modern revision uses invalidParams. */
  resourceNotFound: -32002,
  /** MCP 2026-07-28 */
  headerMismatch: -32020,
  unsupportedVersion: -32022,
  rateLimited: 429,
} as const;

export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

/** The text of one response and the HTTP status it travels with where there is HTTP. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly headers?: ReplyHeaders | undefined;
}

export type ReplyHeaders = { readonly [name: string]: string };

/** @param resultText JSON text, so that what never changes is serialised once */
export function resultReply(id: RequestId | null, resultText: string, headers?: ReplyHeaders): Reply {
  return { status: 200, body: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${resultText}}`, headers };
}

export function errorReply(
  status: number,
  id: RequestId | null,
  code: ErrorCode,
  message: string,
  data?: object,
  headers?: ReplyHeaders,
): Reply {
  return { status, body: JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, data } }), headers };
}
