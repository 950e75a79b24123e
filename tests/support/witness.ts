// Notes down every credential that passes by, to be looked for later where none may be.
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";
import { Browser } from "../../fixtures/browser.ts";
import { type Exchange, readExchange } from "../../fixtures/transcript.ts";

/** What a value is, so that a failing test can name it without showing it. */
export type Secrets = Map<string, string>;

const CREDENTIALS: ReadonlySet<string> = new Set([
  "access_token",
  "refresh_token",
  "code",
  "code_verifier",
  "client_secret",
]);

export interface Witness {
  readonly secrets: Secrets;
  readonly exchanges: Exchange[];
  readonly fetch: FetchLike;
  readonly browser: Browser;
}

export function createWitness(): Witness {
  const secrets: Secrets = new Map();
  const exchanges: Exchange[] = [];
  return {
    secrets,
    exchanges,
    browser: new WitnessBrowser(secrets),
    async fetch(url, init) {
      const response = await fetch(url, init);
      const exchange = await readExchange(new URL(url), init, response);
      exchanges.push(exchange);
      if (/^\/(token|register)$/.test(exchange.url.pathname)) noteExchange(exchange, secrets);
      return response;
    },
  };
}

/** @returns the names of the secrets that the text contains */
export function findSecrets(text: string, secrets: Secrets): string[] {
  return [...secrets].filter(([value]) => text.includes(value)).map(([, name]) => name);
}

function noteExchange({ requestBody, requestHeaders, responseBody }: Exchange, secrets: Secrets): void {
  const sent = Object.fromEntries(new URLSearchParams(requestBody));
  const received: Readonly<Record<string, unknown>> = JSON.parse(responseBody);
  for (const [name, value] of [...Object.entries(sent), ...Object.entries(received)]) {
    if (CREDENTIALS.has(name)) secrets.set(String(value), name);
  }
  const basic = /^Basic (.+)$/.exec(requestHeaders.get("authorization") ?? "")?.[1];
  if (basic !== undefined) secrets.set(basic, "Basic credentials");
}

class WitnessBrowser extends Browser {
  readonly #secrets: Secrets;

  constructor(secrets: Secrets) {
    super();
    this.#secrets = secrets;
  }

  override async open(url: string, headers?: Record<string, string>): Promise<Response> {
    return this.#note(await super.open(url, headers));
  }

  override async post(url: string, fields: Record<string, string>, headers?: Record<string, string>) {
    return this.#note(await super.post(url, fields, headers));
  }

  #note(response: Response): Response {
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value !== "") this.#secrets.set(value, `cookie ${name}`);
    }
    return response;
  }
}
