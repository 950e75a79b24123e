import { readBase64url, readUtf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { ERROR, errorReply, type Reply, type RequestId, type RpcError } from "./jsonrpc.ts";
import { type Era, isDiscoveryMethod, isMethod, isNotificationMethod, type Method } from "./methods.ts";

/** Newest first. */
export const LEGACY_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
export const MODERN_REVISION = "2026-07-28";

export type LegacyRevision = (typeof LEGACY_REVISIONS)[number];

const META_VERSION = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** The headers that classification looks at. */
export interface MessageHeaders {
  readonly version: string | null;
  readonly method: string | null;
  readonly name: string | null;
}

export interface ClassifiedRequest {
  readonly kind: "request";
  readonly era: Era;
  /** null only for the lenient form without an id. */
  readonly id: RequestId | null;
  readonly method: Method;
  readonly params: JsonObject;
}

interface Refusal {
  readonly kind: "refused";
  readonly reply: Reply;
}

/** One message as plain data, before anything is touched. */
export type Classified =
  | ClassifiedRequest
  | Refusal
  | { readonly kind: "notification" }
  | { readonly kind: "response" };

/**
 * @param headers those of an HTTP request, where a modern message repeats its version, method and name; a socket has
 *   none
 */
export function classify(message: unknown, headers: MessageHeaders | undefined): Classified {
  if (!isJsonObject(message)) return refuse(null, 400, ERROR.invalidRequest, "Send one JSON-RPC object.");
  const id = readId(message);
  const { method, params = {} } = message;
  if (method === undefined && ("result" in message || "error" in message)) return { kind: "response" };
  if (typeof method !== "string") return refuse(id, 400, ERROR.invalidRequest, "method is missing.");
  if (isNotificationMethod(method) && !("id" in message)) return { kind: "notification" };
  if (!isJsonObject(params)) return refuse(id, 400, ERROR.invalidRequest, "params must be an object.");
  return hasEnvelope(message)
    ? classifyModern({ message, id, method, params }, headers)
    : classifyLegacy({ message, id, method, params }, headers?.version);
}

/** MCP 2026-07-28 basic/versioning: a message that says of itself what it speaks is modern, whatever else it says. */
export function hasEnvelope(message: unknown): boolean {
  return META_VERSION in metaOf(message);
}

function metaOf(message: unknown): JsonObject {
  const params = isJsonObject(message) ? message.params : undefined;
  return isJsonObject(params) && isJsonObject(params._meta) ? params._meta : {};
}

/** The id that an answer carries; null for what is no request. */
export function idOf(message: Classified): RequestId | null {
  if (message.kind === "refused") return (JSON.parse(message.reply.body) as { readonly id: RequestId | null }).id;
  return message.kind === "request" ? message.id : null;
}

interface Parts {
  readonly message: JsonObject;
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: JsonObject;
}

/** MCP 2026-07-28 basic/index and streamable-http, "server validation"; the order is part of the contract. */
function classifyModern({ message, id, method, params }: Parts, headers: MessageHeaders | undefined): Classified {
  if (message.jsonrpc !== "2.0" || id === undefined) return refuse(id, 400, ERROR.invalidRequest, INCOMPLETE);
  const meta = metaOf(message);
  const version = meta[META_VERSION];
  if (typeof version !== "string" || !isJsonObject(meta[META_CAPABILITIES])) return withoutEnvelope(id);
  if (headers !== undefined) {
    if (differs(headers.version, version)) return mismatch(id, "MCP-Protocol-Version");
    if (differs(headers.method, method)) return mismatch(id, "Mcp-Method");
  }
  if (version !== MODERN_REVISION) {
    const data = { supported: [MODERN_REVISION], requested: version };
    return refuse(id, 400, ERROR.unsupportedVersion, `This server speaks ${MODERN_REVISION} in this form.`, data);
  }
  if (headers !== undefined) {
    if (headers.version === null) return mismatch(id, "MCP-Protocol-Version");
    if (headers.method === null) return mismatch(id, "Mcp-Method");
    const name = nameOf(method, params);
    if (name !== undefined && decodeName(headers.name) !== name) return mismatch(id, "Mcp-Name");
  }
  if (!isMethod(method, "modern")) return unknownMethod(id, 404);
  return { kind: "request", era: "modern", id, method, params };
}

function classifyLegacy({ message, id, method, params }: Parts, version: string | null = null): Classified {
  // A body without its envelope under a modern header is an incomplete modern request.
  if (version === MODERN_REVISION) return withoutEnvelope(id);
  if (version !== null && !(LEGACY_REVISIONS as readonly string[]).includes(version)) {
    const text = `MCP-Protocol-Version is not one of ${[MODERN_REVISION, ...LEGACY_REVISIONS].join(", ")}.`;
    return refuse(id, 400, ERROR.invalidRequest, text);
  }
  // For people with curl: discovery may leave out jsonrpc, and with it the id. Nothing that acts may.
  const isLenient =
    message.jsonrpc === undefined && isDiscoveryMethod(method) && (id !== undefined || !("id" in message));
  if (!isLenient && (message.jsonrpc !== "2.0" || id === undefined)) {
    return refuse(id, 400, ERROR.invalidRequest, INCOMPLETE);
  }
  if (!isMethod(method, "legacy")) return unknownMethod(id, 200);
  return { kind: "request", era: "legacy", id: id ?? null, method, params };
}

/** MCP 2025-11-25 basic: an id is a string or a number, never null. A number beyond a double cannot be echoed. */
function readId({ id }: JsonObject): RequestId | undefined {
  return typeof id === "string" || (typeof id === "number" && Number.isFinite(id)) ? id : undefined;
}

function differs(header: string | null, value: string): boolean {
  return header !== null && header !== value;
}

/** What `Mcp-Name` must repeat; undefined where the method has none or the body is at fault itself. */
function nameOf(method: string, params: JsonObject): string | undefined {
  const name = method === "resources/read" ? params.uri : params.name;
  return /^(tools\/call|prompts\/get|resources\/read)$/.test(method) && typeof name === "string" ? name : undefined;
}

/** MCP 2026-07-28 streamable-http: a value that is no plain ASCII travels as `=?base64?…?=`. */
function decodeName(header: string | null): string | null | undefined {
  const [, encoded] = /^=\?base64\?([\w+/-]*)={0,2}\?=$/.exec(header ?? "") ?? [];
  if (encoded === undefined) return header;
  const bytes = readBase64url(encoded.replaceAll("+", "-").replaceAll("/", "_"));
  return bytes && readUtf8(bytes);
}

const INCOMPLETE = 'A request needs jsonrpc "2.0" and an id.';

function withoutEnvelope(id: RequestId | undefined): Refusal {
  return refuse(id, 400, ERROR.invalidParams, `params._meta needs ${META_VERSION} and ${META_CAPABILITIES}.`);
}

function mismatch(id: RequestId, header: string): Refusal {
  return refuse(id, 400, ERROR.headerMismatch, `The header ${header} is missing or differs from the body.`);
}

function unknownMethod(id: RequestId | undefined, status: 200 | 404): Refusal {
  return refuse(id, status, ERROR.methodNotFound, "This server has no such method.");
}

function refuse(
  id: RequestId | null = null,
  status: number,
  code: RpcError["code"],
  message: string,
  data?: object,
): Refusal {
  return { kind: "refused", reply: errorReply(status, id, { code, message, ...(data && { data }) }) };
}
