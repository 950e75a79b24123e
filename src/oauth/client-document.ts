import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, parseJson } from "../core/json.ts";
import { sha256 } from "../crypto/hash.ts";
import { fetchOnce } from "../egress/fetch.ts";
import { readUrl } from "../http/origin.ts";
import type { Client } from "./client.ts";
import { checkMetadata, clientFields } from "./registration.ts";

/** draft-ietf-oauth-client-id-metadata-document §6.6 recommends this bound. */
const MAX_DOCUMENT_BYTES = 5 * 1024;
const DEADLINE_MS = 10_000;
/** A changed document shows within a day. */
const CACHE_SECONDS = 86_400;

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
  const cached = await cache?.get(key);
  const text = cached ?? (await fetchDocument(clientId));
  const client = readDocument(text, clientId);
  if (client && !cached) await cache?.put(key, text, { expirationTtl: CACHE_SECONDS });
  return client;
}

/** One request without redirects; a document that is late, long or not there is empty. */
async function fetchDocument(clientId: string): Promise<string> {
  try {
    const response = await fetchOnce(clientId, { headers: { Accept: "application/json" } }, DEADLINE_MS);
    const bytes = response.status === 200 ? await readBody(response, MAX_DOCUMENT_BYTES) : undefined;
    return (bytes?.ok && readUtf8(bytes.value)) || "";
  } catch {
    return "";
  }
}

function readDocument(text: string, clientId: string): Client | undefined {
  const document = parseJson(text);
  // The document has to claim its own address, or anybody's JSON could be made a client.
  if (!document.ok || !isJsonObject(document.value) || document.value.client_id !== clientId) return undefined;
  const metadata = checkMetadata({ token_endpoint_auth_method: "none", ...document.value });
  if (!metadata.ok || metadata.value.token_endpoint_auth_method !== "none") return undefined;
  return { clientId, ...clientFields(metadata.value) };
}
