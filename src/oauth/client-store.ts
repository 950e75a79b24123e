import * as v from "valibot";
import { parseJson } from "../core/json.ts";
import type { EpochSeconds } from "../core/time.ts";
import { CLIENT, type Client, isClientId, STATIC_CLIENT, STATIC_CLIENT_ID } from "./client.ts";
import { findDocumentClient, isClientDocumentUrl } from "./client-document.ts";

/** Where clients come from: our own registrations, and what the operator wrote into `CONFIG_KV`. */
export interface ClientStore {
  find(clientId: string): Promise<Client | undefined>;
  save(client: Client): Promise<void>;
  /** Slides the expiry of a registration that was just used. */
  touch(client: Client, now: EpochSeconds): Promise<void>;
}

/** A registration nobody signed in with is gone after a day. */
const UNUSED_CLIENT_SECONDS = 86_400;
/** One that is used stays as long as its grants may, and the day that `touch` may be late. */
const USED_CLIENT_SECONDS = 91 * 86_400;
/** KV takes one write a second per key; once a day is enough to slide 90 days. */
const TOUCH_INTERVAL_SECONDS = 86_400;

export function createClientStore(
  registrations: KVNamespace,
  configured: KVNamespace | undefined,
  documents: KVNamespace | undefined,
): ClientStore {
  const put = (client: Client, expirationTtl: number) =>
    registrations.put(`client:${client.clientId}`, JSON.stringify(client), { expirationTtl });
  /** The operator may map the static id, and it alone, to a client of their own. */
  const actualId = async (clientId: string) => {
    if (clientId !== STATIC_CLIENT_ID) return clientId;
    const actual = await configured?.get(`static_client_actual:${STATIC_CLIENT_ID}`);
    return actual && isClientId(actual) ? actual : undefined;
  };
  return {
    async find(clientId) {
      if (isClientDocumentUrl(clientId)) return findDocumentClient(clientId, documents);
      if (!isClientId(clientId)) return undefined;
      const actual = await actualId(clientId);
      if (!actual) return STATIC_CLIENT;
      const client = (await readClient(registrations, actual)) ?? (await readClient(configured, actual));
      return client && { ...client, clientId };
    },
    save: (client) => put(client, UNUSED_CLIENT_SECONDS),
    async touch(client, now) {
      // A document is nobody's registration, and its address may be longer than a key.
      if (isClientDocumentUrl(client.clientId)) return;
      if (client.lastUsedAt !== undefined && now - client.lastUsedAt < TOUCH_INTERVAL_SECONDS) return;
      const actual = await actualId(client.clientId);
      // A client of the operator's is not in this namespace and must not get an expiry.
      const registered = actual && (await readClient(registrations, actual));
      // What cannot be touched now is touched at the next use.
      if (registered) await put({ ...registered, lastUsedAt: now }, USED_CLIENT_SECONDS).catch(() => undefined);
    },
  };
}

async function readClient(store: KVNamespace | undefined, clientId: string): Promise<Client | undefined> {
  const value = parseJson((await store?.get(`client:${clientId}`)) ?? "");
  const client = v.safeParse(CLIENT, value.ok ? value.value : undefined);
  return client.success && client.output.clientId === clientId ? client.output : undefined;
}
