// The clients that people use, each through its own OAuth client: they list, sign in when the server asks for it, call,
// read, and get over an expired token and a restarted server.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as v2 from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { WebSocketClientTransport } from "@modelcontextprotocol/sdk/client/websocket.js";
import type { OAuthClientInformationMixed, OAuthTokens } from "@modelcontextprotocol/sdk/shared/auth.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { WebSocket } from "undici";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { registerClient, signInWith } from "../support/oauth-client.ts";
import { SdkPerson } from "../support/sdk-person.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const INFO = { name: "tests", version: "1.0.0" };
const CALL = { name: "getEmails", arguments: { count: 1 } };
const PROFILE = { uri: "microsoft://profile" };

/** What every client can do, whatever it is made of. */
interface Connected {
  readonly person: { signIns: number; outliveToken(stack: Stack): Promise<void> };
  tools(): Promise<readonly { name: string }[]>;
  call(): Promise<{ isError?: boolean | undefined }>;
  read(): Promise<{ contents: readonly { uri: string }[] }>;
  /** After the server went away. */
  reconnect(): Promise<void>;
  close(): Promise<void>;
}

async function useIt(client: Connected): Promise<void> {
  assert.equal((await client.tools())[0]?.name, "getEmails");
  assert.ok(!(await client.call()).isError);
  // Lazy sign-in asks for what the call needs; the profile needs another permission, so that is a step-up.
  assert.equal((await client.read()).contents[0]?.uri, PROFILE.uri);
  const { signIns } = client.person;
  assert.ok(signIns >= 1);
  await client.person.outliveToken(stack);
  assert.ok(!(await client.call()).isError);
  await stack.restart();
  await client.reconnect();
  assert.ok(!(await client.call()).isError);
  assert.equal((await client.tools())[0]?.name, "getEmails");
  assert.equal(client.person.signIns, signIns, "the person had to sign in again");
  await client.close();
}

async function connectStreamable(path: string): Promise<Connected> {
  const person = new SdkPerson<OAuthClientInformationMixed, OAuthTokens>();
  const client = new Client(INFO);
  const options = { authProvider: person, fetch: person.fetch };
  const transport = new StreamableHTTPClientTransport(new URL(`${stack.url}${path}`), options);
  // The SDK declares its optional members without `undefined`.
  await client.connect(transport as Transport);
  const signingIn = <Value>(run: () => Promise<Value>) =>
    person.signingIn(run, (answer) => transport.finishAuth(answer.get("code") ?? ""));
  return {
    person,
    tools: async () => (await client.listTools()).tools,
    call: () => signingIn(() => client.callTool(CALL)) as Promise<{ isError?: boolean }>,
    read: () => signingIn(() => client.readResource(PROFILE)),
    reconnect: async () => undefined,
    close: () => client.close(),
  };
}

for (const path of ["/mcp", "/sse"]) {
  test(`EP-01: SDK 1 over Streamable HTTP on ${path}`, async () => useIt(await connectStreamable(path)));
}

test("EP-03: SDK 1 over SSE", async () => {
  const person = new SdkPerson<OAuthClientInformationMixed, OAuthTokens>();
  const open = async () => {
    const transport = () => new SSEClientTransport(new URL(`${stack.url}/sse`), { authProvider: person });
    const first = transport();
    const connect = async (through: SSEClientTransport) => {
      const client = new Client(INFO);
      await client.connect(through);
      return client;
    };
    // The GET itself is 401, and a transport starts once.
    return person.signingIn(
      () => connect(first),
      (answer) => first.finishAuth(answer.get("code") ?? ""),
      () => connect(transport()),
    );
  };
  let client = await open();
  await useIt({
    person,
    tools: async () => (await client.listTools()).tools,
    call: () => client.callTool(CALL) as Promise<{ isError?: boolean }>,
    read: () => client.readResource(PROFILE),
    reconnect: async () => {
      await client.close();
      client = await open();
    },
    close: () => client.close(),
  });
});

const MODES: readonly (readonly [string, v2.VersionNegotiationMode, string])[] = [
  ["auto", "auto", "2026-07-28"],
  ["pinned to 2026-07-28", { pin: "2026-07-28" }, "2026-07-28"],
  ["legacy", "legacy", "2025-11-25"],
];

for (const [title, mode, revision] of MODES) {
  test(`EP-17: SDK 2 ${title} speaks ${revision}`, async () => {
    const person = new SdkPerson<v2.StoredOAuthClientInformation, v2.StoredOAuthTokens>();
    const client = new v2.Client(INFO, { versionNegotiation: { mode } });
    const options = { authProvider: person, fetch: person.fetch };
    const transport = new v2.StreamableHTTPClientTransport(new URL(`${stack.url}/mcp`), options);
    await client.connect(transport);
    const signingIn = <Value>(run: () => Promise<Value>) =>
      person.signingIn(run, (answer) => transport.finishAuth(answer));
    assert.equal(client.getNegotiatedProtocolVersion(), revision);
    await useIt({
      person,
      tools: async () => (await client.listTools()).tools,
      call: () => signingIn(() => client.callTool(CALL)),
      read: () => signingIn(() => client.readResource(PROFILE)),
      reconnect: async () => undefined,
      close: () => client.close(),
    });
  });
}

for (const [title, mode, revision] of MODES) {
  test(`EP-03: SDK 2 ${title} over SSE speaks ${revision}: the old transport has no headers to check`, async () => {
    const person = new SdkPerson<v2.StoredOAuthClientInformation, v2.StoredOAuthTokens>();
    const transport = () => new v2.SSEClientTransport(new URL(`${stack.url}/sse`), { authProvider: person });
    const open = async () => {
      const first = transport();
      const connect = async (through: v2.SSEClientTransport) => {
        const client = new v2.Client(INFO, { versionNegotiation: { mode } });
        await client.connect(through);
        return client;
      };
      return person.signingIn(
        () => connect(first),
        (answer) => first.finishAuth(answer),
        () => connect(transport()),
      );
    };
    let client = await open();
    assert.equal(client.getNegotiatedProtocolVersion(), revision);
    await useIt({
      person,
      tools: async () => (await client.listTools()).tools,
      call: () => client.callTool(CALL),
      read: () => client.readResource(PROFILE),
      reconnect: async () => {
        await client.close();
        client = await open();
      },
      close: () => client.close(),
    });
  });
}

/** Node 20 has no WebSocket of its own, and the SDK's transport takes the global one. */
async function connectSocket(path: string, headers: Record<string, string>): Promise<Client> {
  class SocketWithHeaders extends WebSocket {
    constructor(url: string | URL, protocols: string) {
      super(url, { protocols, headers });
    }
  }
  const before = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
  Object.defineProperty(globalThis, "WebSocket", { value: SocketWithHeaders, configurable: true, writable: true });
  try {
    const client = new Client(INFO);
    await client.connect(new WebSocketClientTransport(new URL(`${stack.url.replace("http", "ws")}${path}`)));
    return client;
  } finally {
    if (before === undefined) Reflect.deleteProperty(globalThis, "WebSocket");
    else Object.defineProperty(globalThis, "WebSocket", before);
  }
}

for (const path of ["/mcp", "/sse"]) {
  test(`EP-04: SDK 1 over a WebSocket on ${path}, without a token: it looks around and is told to sign in`, async () => {
    const client = await connectSocket(path, {});
    assert.equal((await client.listTools()).tools[0]?.name, "getEmails");
    assert.equal((await client.listPrompts()).prompts.length, 4);
    await assert.rejects(client.callTool(CALL), { code: -32001 });
    await client.close();
  });

  test(`EP-04: SDK 1 over a WebSocket on ${path}, signed in by a header, and again after a restart`, async () => {
    const { accessToken } = await signInWith(stack, await registerClient(stack));
    const headers = { authorization: `Bearer ${accessToken}` };
    for (const isRestarted of [false, true]) {
      if (isRestarted) await stack.restart();
      const client = await connectSocket(path, headers);
      assert.equal((await client.listTools()).tools[0]?.name, "getEmails");
      assert.ok(!(await client.callTool(CALL)).isError);
      assert.equal((await client.readResource(PROFILE)).contents[0]?.uri, PROFILE.uri);
      await client.close();
    }
  });
}
