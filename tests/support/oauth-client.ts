// What a client does: register, send somebody to /authorize, exchange codes, refresh, call tools. Nothing is hidden:
// every helper hands back what the server answered.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { approve, Browser, pkcePair } from "../../fixtures/browser.ts";
import type { Stack } from "../../fixtures/stack.ts";
import type { Client } from "../../src/oauth/client.ts";

/** Nobody listens there, and nobody has to: redirects are read, not followed. */
export const WEB_REDIRECT = "https://app.example.com/oauth/callback";
export const OTHER_REDIRECT = "https://app.example.com/oauth/other";

export type AuthMethod = "none" | "client_secret_basic" | "client_secret_post";

export interface TestClient {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly method: AuthMethod;
  readonly redirectUri: string;
}

/** Changes to good parameters: undefined leaves one out, a list sends it more than once. */
export type Changes = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed body; an empty record when it is not a JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

export async function readReply(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parseRecord(text) };
}

function parseRecord(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return {};
  }
}

/** A member that must be a text. */
export function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  assert.equal(typeof value, "string", `${name} is missing from ${JSON.stringify(body)}`);
  return String(value);
}

export function withChanges(good: Readonly<Record<string, string>>, changes: Changes): URLSearchParams {
  const parameters = new URLSearchParams(good);
  for (const [name, value] of Object.entries(changes)) {
    parameters.delete(name);
    if (value === undefined) continue;
    for (const text of typeof value === "string" ? [value] : value) parameters.append(name, text);
  }
  return parameters;
}

/** POST /register. A text goes as it is. */
export async function postRegistration(
  stack: Pick<Stack, "url">,
  metadata: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const body = typeof metadata === "string" ? metadata : JSON.stringify(metadata);
  const response = await fetch(`${stack.url}/register`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
  return readReply(response);
}

export interface Registration {
  readonly method?: AuthMethod;
  readonly redirectUris?: readonly string[];
  readonly name?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export async function registerClient(stack: Pick<Stack, "url">, options: Registration = {}): Promise<TestClient> {
  const { method = "none", redirectUris = [WEB_REDIRECT], name = "Contoso Notes" } = options;
  const reply = await postRegistration(stack, {
    client_name: name,
    redirect_uris: redirectUris,
    token_endpoint_auth_method: method,
    ...options.metadata,
  });
  assert.equal(reply.status, 201, reply.text);
  const secret = reply.body.client_secret;
  return {
    clientId: textOf(reply.body, "client_id"),
    clientSecret: typeof secret === "string" ? secret : undefined,
    method,
    redirectUri: redirectUris[0] ?? WEB_REDIRECT,
  };
}

/** A client that the operator wrote into `CONFIG_KV`. */
export async function configureClient(stack: Pick<Stack, "mf">): Promise<TestClient> {
  const record: Client = {
    clientId: "configured-by-the-operator",
    clientName: "Contoso Reports",
    redirectUris: [WEB_REDIRECT],
    tokenEndpointAuthMethod: "none",
    grantTypes: ["authorization_code", "refresh_token"],
    registeredAt: 0,
  };
  await (await stack.mf.getKVNamespace("CONFIG_KV")).put(`client:${record.clientId}`, JSON.stringify(record));
  return { clientId: record.clientId, clientSecret: undefined, method: "none", redirectUri: WEB_REDIRECT };
}

/** A good authorization request, changed. */
export function authorizeUrl(
  stack: Pick<Stack, "url">,
  client: Pick<TestClient, "clientId" | "redirectUri">,
  challenge: string,
  changes: Changes = {},
): string {
  const good = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    state: "state-of-the-client",
    code_challenge: challenge,
    code_challenge_method: "S256",
  };
  return `${stack.url}/authorize?${withChanges(good, changes)}`;
}

export interface SignInOptions {
  readonly browser?: Browser;
  readonly email?: string;
  /** Changes to the authorization request. */
  readonly authorize?: Changes;
}

export interface ObtainedCode {
  readonly code: string;
  readonly verifier: string;
  readonly redirect: URL;
}

/** The whole way from /authorize to the redirect that carries our code. */
export async function obtainCode(stack: Stack, client: TestClient, options: SignInOptions = {}): Promise<ObtainedCode> {
  const { verifier, challenge } = pkcePair();
  const url = authorizeUrl(stack, client, challenge, options.authorize);
  const who = options.email === undefined ? {} : { email: options.email };
  const redirect = await approve(options.browser ?? new Browser(), url, who);
  const code = redirect.searchParams.get("code");
  assert.ok(code !== null, `no code in ${redirect.href}`);
  return { code, verifier, redirect };
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
export function basicHeader(clientId: string, clientSecret: string): string {
  const encode = (text: string) => new URLSearchParams({ t: text }).toString().slice(2);
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64")}`;
}

/** How the client says who it is: headers and body parameters. */
export function credentialsOf(client: Omit<TestClient, "redirectUri">): {
  headers: Record<string, string>;
  parameters: Record<string, string>;
} {
  const { clientId, clientSecret = "" } = client;
  switch (client.method) {
    case "none":
      return { headers: {}, parameters: { client_id: clientId } };
    case "client_secret_post":
      return { headers: {}, parameters: { client_id: clientId, client_secret: clientSecret } };
    case "client_secret_basic":
      return { headers: { authorization: basicHeader(clientId, clientSecret) }, parameters: {} };
  }
}

export interface FormOptions {
  readonly changes?: Changes;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A form post to /token or /revoke with the client's own credentials. */
export async function postForm(
  stack: Pick<Stack, "url">,
  path: "/token" | "/revoke",
  client: Omit<TestClient, "redirectUri">,
  good: Readonly<Record<string, string>>,
  { changes = {}, headers = {} }: FormOptions = {},
): Promise<Reply> {
  const own = credentialsOf(client);
  const response = await fetch(`${stack.url}${path}`, {
    method: "POST",
    body: withChanges({ ...good, ...own.parameters }, changes),
    headers: { ...own.headers, ...headers },
  });
  return readReply(response);
}

export function redeem(
  stack: Pick<Stack, "url">,
  client: TestClient,
  { code, verifier }: Pick<ObtainedCode, "code" | "verifier">,
  options: FormOptions = {},
): Promise<Reply> {
  const good = {
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    redirect_uri: client.redirectUri,
  };
  return postForm(stack, "/token", client, good, options);
}

export function refresh(
  stack: Pick<Stack, "url">,
  client: TestClient,
  refreshToken: string,
  options: FormOptions = {},
): Promise<Reply> {
  const good = { grant_type: "refresh_token", refresh_token: refreshToken };
  return postForm(stack, "/token", client, good, options);
}

export function revoke(
  stack: Pick<Stack, "url">,
  client: Omit<TestClient, "redirectUri">,
  token: string,
  options: FormOptions = {},
): Promise<Reply> {
  return postForm(stack, "/revoke", client, { token }, options);
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly scope: string;
}

export function tokensOf(reply: Reply): Tokens {
  assert.equal(reply.status, 200, reply.text);
  return {
    accessToken: textOf(reply.body, "access_token"),
    refreshToken: textOf(reply.body, "refresh_token"),
    scope: textOf(reply.body, "scope"),
  };
}

export interface Session extends Tokens, ObtainedCode {
  readonly client: TestClient;
}

/** A person signed in with a client: everything that came of it. */
export async function signInWith(stack: Stack, client: TestClient, options: SignInOptions = {}): Promise<Session> {
  const obtained = await obtainCode(stack, client, options);
  return { client, ...obtained, ...tokensOf(await redeem(stack, client, obtained)) };
}

export interface RpcOptions {
  readonly token?: string | undefined;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One JSON-RPC message. */
export async function rpc(
  stack: Pick<Stack, "url">,
  method: string,
  params: Readonly<Record<string, unknown>>,
  { token, path = "/mcp", headers = {} }: RpcOptions = {},
): Promise<Reply> {
  const response = await fetch(`${stack.url}${path}`, {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
  return readReply(response);
}

/** `tools/call getEmails`: needs a live token with `Mail.Read`. */
export function getEmails(stack: Pick<Stack, "url">, token?: string, options: RpcOptions = {}): Promise<Reply> {
  return rpc(stack, "tools/call", { name: "getEmails", arguments: { count: 1 } }, { ...options, token });
}

/** A request as raw as HTTP allows: header lines may repeat, which `fetch` would join. */
export function postRaw(url: string, body: string, headerLines: readonly string[]): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const lines = [...headerLines, "Host", new URL(url).host, "Content-Length", String(Buffer.byteLength(body))];
    const sent = httpRequest(url, { method: "POST", headers: lines }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => {
        text += chunk;
      });
      answer.on("end", () => {
        const headers = new Headers();
        for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
          headers.append(answer.rawHeaders[at] ?? "", answer.rawHeaders[at + 1] ?? "");
        }
        resolve({ status: answer.statusCode ?? 0, headers, text, body: parseRecord(text) });
      });
    });
    sent.once("error", reject);
    sent.end(body);
  });
}
