import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import { sha256 } from "../crypto/hash.ts";
import { fetchOnce } from "../egress/fetch.ts";
import { readUrl } from "../http/origin.ts";
import type { Client } from "./client.ts";
import { checkMetadata, clientFields, UNNAMED_CLIENT } from "./registration.ts";

/** draft-ietf-oauth-client-id-metadata-document §6.6 recommends this bound. */
const MAX_DOCUMENT_BYTES = 5 * 1024;
const DEADLINE_MS = 10_000;
/** A changed document shows within a day, whatever it says itself. */
const MAX_CACHE_SECONDS = 86_400;
/** KV keeps nothing for less. */
const MIN_CACHE_SECONDS = 60;

/**
 * https, a host name of letters at its end (IPv4 literals end in digits, IPv6 ones in a bracket) that is not one of a
 * network's own, no port or user name, and a path; no fragment.
 */
const DOCUMENT_URL =
  /^https:\/\/([a-z0-9-]+\.)+(?!(local|localhost|internal|intranet|home|lan|arpa|test|invalid|onion)\/)[a-z][a-z0-9-]*[a-z0-9]\/[^?#][^#]*$/;

/**
 * A client id that is the address of a document. What a server could be made to reach inside a network (addresses,
 * ports, bare names) is refused before anything is fetched.
 */
export function isClientDocumentUrl(clientId: string): boolean {
  return clientId.length <= 2048 && DOCUMENT_URL.test(clientId) && readUrl(clientId)?.href === clientId;
}

/** The client that a document describes, from the cache or from its address. Public clients only. */
export async function findDocumentClient(
  clientId: string,
  cache: KVNamespace | undefined,
): Promise<Client | undefined> {
  const key = `client-document:${await sha256(clientId)}`;
  // A cache that fails is none.
  const cached = await cache?.get(key).catch(() => null);
  const [text, expirationTtl] = cached ? [cached, 0] : await fetchDocument(clientId);
  const client = readDocument(text, clientId);
  if (client && expirationTtl >= MIN_CACHE_SECONDS)
    await cache?.put(key, text, { expirationTtl }).catch(() => undefined);
  return client;
}

/** One request without redirects; a document that is late, long or not there is empty. */
async function fetchDocument(clientId: string): Promise<readonly [text: string, cacheSeconds: number]> {
  try {
    const response = await fetchOnce(clientId, { headers: { Accept: "application/json" } }, DEADLINE_MS);
    const bytes = response.status === 200 ? await readBody(response, MAX_DOCUMENT_BYTES) : undefined;
    return [(bytes?.ok && readUtf8(bytes.value)) || "", cacheSeconds(response.headers.get("Cache-Control") ?? "")];
  } catch {
    return ["", 0];
  }
}

/** MCP 2026-07-28 client-registration: as the host wishes (RFC 9111 §5.2.2), within our bound. */
function cacheSeconds(wish: string): number {
  if (/no-(store|cache)/i.test(wish)) return 0;
  // §4.2.1: what cannot be read is stale.
  const [, maxAge = MAX_CACHE_SECONDS] = /max-age\s*=?\s*"?(\d*)/i.exec(wish) ?? [];
  return Math.min(Number(maxAge), MAX_CACHE_SECONDS);
}

function readDocument(text: string, clientId: string): Client | undefined {
  const document = parseJson(text);
  // The document has to claim its own address, or anybody's JSON could be made a client.
  if (!document.ok || !isJsonObject(document.value) || document.value.client_id !== clientId) return undefined;
  const { token_endpoint_auth_method: method, token_endpoint_auth_methods_supported: others } = document.value;
  // A client may prefer a key (ChatGPT does) and know the method that we both know.
  if (![method || "none", others].flat().includes("none")) return undefined;
  const metadata = checkMetadata({ ...document.value, token_endpoint_auth_method: "none" });
  // MCP 2026-07-28 client-registration: the name is required.
  if (!metadata.ok || metadata.value.client_name === UNNAMED_CLIENT) return undefined;
  return { clientId, ...clientFields(metadata.value) };
}
