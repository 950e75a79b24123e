import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { ERROR, type RequestId, type RpcError } from "./jsonrpc.ts";
import {
  existsInLegacy,
  existsInModern,
  isDiscoveryMethod,
  isMethod,
  isNotificationMethod,
  type Method,
} from "./methods.ts";

/** Newest first. */
export const LEGACY_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
export const MODERN_REVISION = "2026-07-28";

export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];

/** Legacy clients shake hands first; modern ones say in each request what they speak. */
export type Era = "legacy" | "modern";

const META_VERSION = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** The headers that classification looks at; a transport without headers passes none. */
export interface MessageHeaders {
  readonly version: string | undefined;
  readonly method: string | undefined;
  readonly name: string | undefined;
}

export const NO_HEADERS: MessageHeaders = { version: undefined, method: undefined, name: undefined };

export interface ClassifiedRequest {
  readonly kind: "request";
  readonly era: Era;
  /** null only for the lenient form without an id. */
  readonly id: RequestId | null;
  readonly method: Method;
  readonly params: JsonObject;
}

export interface Refusal {
  readonly kind: "refused";
  readonly id: RequestId | null;
  readonly status: number;
  readonly error: RpcError;
}

/** One message as plain data, before anything is touched. */
export type Classified =
  | ClassifiedRequest
  | Refusal
  | { readonly kind: "notification" }
  | { readonly kind: "response" };

/**
 * @param transport over HTTP a modern request repeats its version, method and name in headers; over a socket it cannot
 */
export function classify(message: unknown, headers: MessageHeaders, transport: "http" | "stream"): Classified {
  if (!isJsonObject(message)) return refuse(null, 400, ERROR.invalidRequest, "Send one JSON-RPC object.");
  const id = readId(message);
  const { method } = message;
  if (method === undefined && ("result" in message || "error" in message)) return { kind: "response" };
  if (typeof method !== "string") return refuse(id ?? null, 400, ERROR.invalidRequest, "method is missing.");
  if (isNotificationMethod(method)) return { kind: "notification" };
  if ("params" in message && !isJsonObject(message.params)) {
    return refuse(id ?? null, 400, ERROR.invalidRequest, "params must be an object.");
  }
  const params = isJsonObject(message.params) ? message.params : {};
  const meta = isJsonObject(params._meta) ? params._meta : {};
  return META_VERSION in meta
    ? classifyModern({ message, id, method, params, meta }, headers, transport)
    : classifyLegacy({ message, id, method, params, meta }, headers);
}

interface Parts {
  readonly message: JsonObject;
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: JsonObject;
  readonly meta: JsonObject;
}

/** MCP 2026-07-28 basic/index and streamable-http, "server validation"; the order is part of the contract. */
function classifyModern(parts: Parts, headers: MessageHeaders, transport: "http" | "stream"): Classified {
  const { message, id, method, params, meta } = parts;
  if (message.jsonrpc !== "2.0" || id === undefined) {
    return refuse(id ?? null, 400, ERROR.invalidRequest, 'A request needs jsonrpc "2.0" and an id.');
  }
  const version = meta[META_VERSION];
  if (typeof version !== "string" || !isJsonObject(meta[META_CAPABILITIES])) {
    return refuse(id, 400, ERROR.invalidParams, `params._meta needs ${META_VERSION} and ${META_CAPABILITIES}.`);
  }
  const isHttp = transport === "http";
  if (isHttp && differs(headers.version, version))
    return mismatch(id, "MCP-Protocol-Version differs from params._meta.");
  if (isHttp && differs(headers.method, method)) return mismatch(id, "Mcp-Method differs from method.");
  if (version !== MODERN_REVISION) {
    const data = { supported: [MODERN_REVISION], requested: version };
    return refuse(id, 400, ERROR.unsupportedVersion, `This server speaks ${MODERN_REVISION} in this form.`, data);
  }
  if (isHttp) {
    if (headers.version === undefined) return mismatch(id, "The header MCP-Protocol-Version is missing.");
    if (headers.method === undefined) return mismatch(id, "The header Mcp-Method is missing.");
    const expected = nameOf(method, params);
    if (expected !== undefined && decodeName(headers.name) !== expected) {
      return mismatch(id, "The header Mcp-Name is missing or differs from the body.");
    }
  }
  if (!isMethod(method) || !existsInModern(method)) return unknownMethod(id, 404);
  return { kind: "request", era: "modern", id, method, params };
}

function classifyLegacy(parts: Parts, headers: MessageHeaders): Classified {
  const { message, id, method, params } = parts;
  const isBare = message.jsonrpc === undefined;
  // A body without its envelope under a modern header is an incomplete modern request.
  if (headers.version === MODERN_REVISION) {
    return refuse(id ?? null, 400, ERROR.invalidParams, `params._meta needs ${META_VERSION} and ${META_CAPABILITIES}.`);
  }
  if (headers.version !== undefined && !(LEGACY_REVISIONS as readonly string[]).includes(headers.version)) {
    const text = `MCP-Protocol-Version is not one of ${[MODERN_REVISION, ...LEGACY_REVISIONS].join(", ")}.`;
    return refuse(id ?? null, 400, ERROR.invalidRequest, text);
  }
  if (!isBare && message.jsonrpc !== "2.0") {
    return refuse(id ?? null, 400, ERROR.invalidRequest, 'jsonrpc must be "2.0".');
  }
  // For people with curl: discovery may leave out jsonrpc, and with it the id. Nothing that acts may.
  const isLenient = isBare && isDiscoveryMethod(method) && !("id" in message);
  if ((id === undefined && !isLenient) || (isBare && !isDiscoveryMethod(method))) {
    return refuse(id ?? null, 400, ERROR.invalidRequest, 'A request needs jsonrpc "2.0" and an id.');
  }
  if (!isMethod(method) || !existsInLegacy(method)) return unknownMethod(id ?? null, 200);
  return { kind: "request", era: "legacy", id: id ?? null, method, params };
}

/** MCP 2025-11-25 basic: an id is a string or a number, never null. */
function readId(message: JsonObject): RequestId | undefined {
  const { id } = message;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/** RFC 9110 §5.5: optional white space around a value does not count. */
function differs(header: string | undefined, value: string): boolean {
  return header !== undefined && header.trim() !== value;
}

/** What `Mcp-Name` must repeat; undefined where the method has none or the body is at fault itself. */
function nameOf(method: string, params: JsonObject): string | undefined {
  const name = method === "resources/read" ? params.uri : params.name;
  const isNamed = method === "tools/call" || method === "prompts/get" || method === "resources/read";
  return isNamed && typeof name === "string" ? name : undefined;
}

/** MCP 2026-07-28 streamable-http: a value that is no plain ASCII travels as `=?base64?…?=`. */
function decodeName(header: string | undefined): string | undefined {
  const value = header?.trim();
  const [, encoded] = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value ?? "") ?? [];
  if (encoded === undefined) return value;
  if (encoded.length % 4 === 1) return undefined;
  return readUtf8(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
}

function mismatch(id: RequestId, message: string): Refusal {
  return refuse(id, 400, ERROR.headerMismatch, message);
}

function unknownMethod(id: RequestId | null, status: 200 | 404): Refusal {
  return refuse(id, status, ERROR.methodNotFound, "This server has no such method.");
}

function refuse(id: RequestId | null, status: number, code: RpcError["code"], message: string, data?: object): Refusal {
  return { kind: "refused", id, status, error: data === undefined ? { code, message } : { code, message, data } };
}
