import { readBase64url, readUtf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { type ErrorCode, errorReply, type Reply, type RequestId } from "./jsonrpc.ts";
import { type Era, isProtected, METHODS, type Method, type MethodFacts } from "./methods.ts";

/** Newest first. */
export const LEGACY_REVISIONS = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] as const;
export const MODERN_REVISION = "2026-07-28";
export const REVISIONS: readonly string[] = [MODERN_REVISION, ...LEGACY_REVISIONS];

const META_VERSION = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";

/** Reads a header of the HTTP request that brought the message, without the white space around it. */
export type ReadHeader = (name: "MCP-Protocol-Version" | "Mcp-Method" | "Mcp-Name") => string | undefined;

export interface ClassifiedRequest {
  readonly kind: "request";
  readonly era: Era;
  /** null only for the lenient form without an id. */
  readonly id: RequestId | null;
  readonly method: Method;
  readonly params: JsonObject;
}

export interface Refused {
  readonly kind: "refused";
  readonly id: RequestId | null;
  readonly reply: Reply;
}

/** One message as plain data, before anything is touched. */
export type Classified =
  | ClassifiedRequest
  | Refused
  | { readonly kind: "notification"; readonly id: null }
  | { readonly kind: "response"; readonly id: null };

/** @param header where HTTP brought it: a modern message repeats its version, method and name there */
export function classify(message: unknown, header?: ReadHeader): Classified {
  if (!isJsonObject(message)) return refuse(null, 400, -32600, "Send one JSON-RPC object.");
  const { jsonrpc, method, params = {} } = message;
  const isResponse = method === undefined && ("result" in message || "error" in message);
  // The id of a response is of a request of ours.
  const id = isResponse ? undefined : readId(message);
  const version = header?.("MCP-Protocol-Version");
  const unknown = refuseRevision(message, id, version);
  if (unknown) return unknown;
  if (isResponse) return { kind: "response", id: null };
  if (typeof method !== "string") return refuse(id, 400, -32600, "method is missing.");
  // A notification by its name alone; old clients write `initialized`.
  if (/^(initialized$|notifications\/)/.test(method) && !("id" in message)) return { kind: "notification", id: null };
  if (!isJsonObject(params)) return refuse(id, 400, -32600, "params must be an object.");
  const facts = METHODS.get(method);
  const era = hasEnvelope(message) ? "modern" : "legacy";
  // A body without its envelope under a modern header is an incomplete modern request.
  if (era === "legacy" && version === MODERN_REVISION) return withoutEnvelope(id);
  // For people with curl: discovery may leave out jsonrpc, and with it the id, which otherwise has to be readable. Nothing
  // that acts may.
  const isLenient = era === "legacy" && jsonrpc === undefined && facts && !isProtected(method) && id === message.id;
  if (!isLenient && (jsonrpc !== "2.0" || id === undefined)) {
    return refuse(id, 400, -32600, 'A request needs jsonrpc "2.0" and an id.');
  }
  const problem = era === "modern" ? checkModern(id, method, facts, params, header) : undefined;
  if (problem) return problem;
  if (!facts || (facts.era ?? era) !== era) {
    return refuse(id, era === "modern" ? 404 : 200, -32601, "No such method.");
  }
  // `METHODS` has nothing but methods.
  return { kind: "request", era, id: id ?? null, method: method as Method, params };
}

/**
 * MCP 2025-06-18 and 2025-11-25 basic/transports: a revision that we do not know is 400, notifications and responses
 * included. What a modern message says itself is checked with its other headers.
 */
export function refuseRevision(message: unknown, id?: RequestId | null, version?: string): Refused | undefined {
  if (version === undefined || REVISIONS.includes(version) || hasEnvelope(message)) return undefined;
  return refuse(id, 400, -32600, `MCP-Protocol-Version is not one of ${REVISIONS.join(", ")}.`);
}

/** MCP 2026-07-28 basic/versioning: a message that says of itself what it speaks is modern, whatever else it says. */
export function hasEnvelope(message: unknown): boolean {
  return isJsonObject(message) && META_VERSION in metaOf(message.params);
}

function metaOf(params: unknown): JsonObject {
  return isJsonObject(params) && isJsonObject(params._meta) ? params._meta : {};
}

/** MCP 2026-07-28 basic/index and streamable-http, "server validation"; the order is part of the contract. */
function checkModern(
  id: RequestId | undefined,
  method: string,
  facts: MethodFacts | undefined,
  params: JsonObject,
  header: ReadHeader | undefined,
): Refused | undefined {
  const { [META_VERSION]: version, [META_CAPABILITIES]: capabilities } = metaOf(params);
  if (typeof version !== "string" || !isJsonObject(capabilities)) return withoutEnvelope(id);
  const isKnown = version === MODERN_REVISION;
  const name = isKnown && facts?.named && params[facts.named];
  const repeated =
    header &&
    ([
      ["MCP-Protocol-Version", header("MCP-Protocol-Version"), version],
      ["Mcp-Method", header("Mcp-Method"), method],
      // Of a name that is no text the body itself is at fault.
      ...(typeof name === "string" ? [["Mcp-Name", decodeName(header("Mcp-Name")), name] as const] : []),
    ] as const);
  // Of another revision we cannot say what has to be there, only what must not differ.
  const wrong = repeated?.find(([, given, value]) => given !== value && (isKnown || given !== undefined));
  if (wrong) return refuse(id, 400, -32020, `The header ${wrong[0]} is missing or differs from the body.`);
  if (isKnown) return undefined;
  const data = { supported: [MODERN_REVISION], requested: version };
  return refuse(id, 400, -32022, `This server speaks ${MODERN_REVISION} in this form.`, data);
}

/** MCP 2025-11-25 basic: an id is a string or a number, never null, and comes back the same. Large integers cannot. */
function readId({ id }: JsonObject): RequestId | undefined {
  const isEchoed = typeof id === "string" || (typeof id === "number" && Math.abs(id) < 2 ** 53);
  return isEchoed ? id : undefined;
}

/** MCP 2026-07-28 streamable-http: a value that is no plain ASCII travels as `=?base64?…?=`. */
function decodeName(header: string | undefined): string | undefined {
  const encoded = /^=\?base64\?([\w+/-]*)={0,2}\?=$/.exec(header ?? "")?.[1];
  if (encoded === undefined) return header;
  const bytes = readBase64url(encoded.replaceAll("+", "-").replaceAll("/", "_"));
  return bytes && readUtf8(bytes);
}

function withoutEnvelope(id: RequestId | undefined): Refused {
  return refuse(id, 400, -32602, `params._meta needs ${META_VERSION} and ${META_CAPABILITIES}.`);
}

/** A message that is answered without being looked at further. */
export function refuse(
  id: RequestId | null = null,
  status: number,
  code: ErrorCode,
  message: string,
  data?: object,
): Refused {
  return { kind: "refused", id, reply: errorReply(status, id, code, message, data) };
}
