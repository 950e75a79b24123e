import type { Config } from "../config.ts";
import type { EpochSeconds } from "../core/time.ts";
import { type KeyRing, loadKeyRing } from "../crypto/keys.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { Log } from "../observe/log.ts";
import type { ClientStore } from "./client-store.ts";
import type { Grants, Trace } from "./grants.ts";

/** What every OAuth endpoint is given: the request and all effects it may have. */
export interface OAuthContext {
  readonly request: Request;
  readonly url: URL;
  /** Our issuer: scheme, host and port, without a trailing slash (RFC 8414 §2). */
  readonly origin: string;
  readonly requestId: string;
  readonly clientType: string;
  readonly now: EpochSeconds;
  /** `iss|sub` of the verified Cloudflare Access assertion, where there is one. */
  readonly accessIdentity: string | null;
  readonly log: Log;
  readonly config: Config;
  readonly clients: ClientStore;
  /** `OAUTH_KV`: registrations and the index of grants. */
  readonly registrations: KVNamespace;
  readonly grants: Grants;
  /** Every scope that some tool or resource needs, in catalogue order. */
  readonly catalogueScopes: readonly GraphScope[];
  /** Lets work go on after the answer was sent. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Names the request to a grant's object. */
export function trace({ requestId, clientType }: OAuthContext): Trace {
  return { requestId, clientType };
}

/** Seals tokens and tags them. */
export function tokenKeys(config: Config): Promise<KeyRing> {
  return loadKeyRing(config.ENCRYPTION_KEY, config.ENCRYPTION_KEY_PREVIOUS);
}

/** Seals what a browser carries: forms and cookies. */
export function cookieKeys(config: Config): Promise<KeyRing> {
  return loadKeyRing(config.COOKIE_ENCRYPTION_KEY, config.COOKIE_ENCRYPTION_KEY_PREVIOUS);
}

/** Whether cookies can be `Secure`: everywhere but on plain http, which only loopback gets to use. */
export function isHttps(context: OAuthContext): boolean {
  return context.origin.startsWith("https:");
}
