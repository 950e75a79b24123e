/** JSON-RPC 2.0 as MCP uses it. */

/** Echoed exactly as received: `0` and `""` are ids like any other. */
export type RequestId = string | number;

/** JSON-RPC 2.0 §5.1, and those that MCP adds. */
export type ErrorCode =
  /** The text is no JSON. */
  | -32700
  /** Not a request. */
  | -32600
  /** No such method. */
  | -32601
  /** Wrong arguments of a method; no such tool, resource or prompt. */
  | -32602
  /** A fault of ours. */
  | -32603
  /** Sign-in or a scope is missing; always with HTTP 401 or 403. */
  | -32001
  /** MCP 2025-11-25 resources: no such resource. */
  | -32002
  /** MCP 2026-07-28: a header differs from the body. */
  | -32020
  /** MCP 2026-07-28: another revision. */
  | -32022
  /** Too many calls. */
  | 429;

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
