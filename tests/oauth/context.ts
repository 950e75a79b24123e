import type { Config } from "../../src/config.ts";
import { type EpochSeconds, epochSeconds } from "../../src/core/time.ts";
import { GRAPH_SCOPES, type GraphScope } from "../../src/graph/scopes.ts";
import type { Client } from "../../src/oauth/client.ts";
import type { ClientStore } from "../../src/oauth/client-store.ts";
import type { OAuthContext } from "../../src/oauth/context.ts";
import type { GrantObject } from "../../src/oauth/grants.ts";
import type { LogEvent } from "../../src/observe/events.ts";
import { testConfig } from "../environment.ts";

export const ORIGIN = "https://mcp.example.com";
export const NOW: EpochSeconds = epochSeconds(1_800_000_000_000);

export const PUBLIC_CLIENT: Client = {
  clientId: "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
  clientName: "A client",
  redirectUris: ["https://app.example.com/callback"],
  tokenEndpointAuthMethod: "none",
  grantTypes: ["authorization_code", "refresh_token"],
  registeredAt: NOW - 60,
};

export interface FakeContext extends OAuthContext {
  readonly events: LogEvent[];
  readonly saved: Client[];
  /** Every client id that was looked up. */
  readonly lookups: string[];
  /** Every grant whose object was asked for. */
  readonly gids: string[];
}

export interface ContextOptions {
  /** Path and query below the origin. */
  readonly path?: string;
  readonly origin?: string;
  readonly init?: RequestInit;
  readonly clients?: readonly Client[];
  readonly catalogueScopes?: readonly GraphScope[];
  readonly config?: Config;
  readonly now?: EpochSeconds;
  /** The methods of the grant's object that the test expects to be called. */
  readonly grant?: Partial<GrantObject>;
}

/** An endpoint's context that remembers what was done with it. */
export function fakeContext(options: ContextOptions = {}): FakeContext {
  const origin = options.origin ?? ORIGIN;
  const url = new URL(options.path ?? "/", origin);
  const [events, saved, lookups, gids]: [LogEvent[], Client[], string[], string[]] = [[], [], [], []];
  const known = options.clients ?? [PUBLIC_CLIENT];
  const clients: ClientStore = {
    async find(clientId) {
      lookups.push(clientId);
      return known.find((client) => client.clientId === clientId);
    },
    async save(client) {
      saved.push(client);
    },
    async touch() {},
  };
  const context: Omit<FakeContext, "registrations"> = {
    request: new Request(url, options.init),
    url,
    origin,
    requestId: "request-1",
    clientType: "unknown",
    now: options.now ?? NOW,
    log: (event) => events.push(event),
    config: options.config ?? testConfig(),
    clients,
    grants: (gid) => {
      gids.push(gid);
      return (options.grant ?? {}) as GrantObject;
    },
    accessIdentity: null,
    catalogueScopes: options.catalogueScopes ?? GRAPH_SCOPES,
    waitUntil: () => undefined,
    events,
    saved,
    lookups,
    gids,
  };
  // Whatever else a context holds is storage, which no fast test reaches.
  return context as FakeContext;
}

/** An endpoint's form. */
export function postForm(
  parameters: Readonly<Record<string, string>> | string,
  headers: Record<string, string> = {},
): RequestInit {
  const body = typeof parameters === "string" ? parameters : new URLSearchParams(parameters).toString();
  return { method: "POST", body, headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers } };
}
