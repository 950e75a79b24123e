import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { handshake, Socket } from "../support/mcp.ts";
import { refresh, registerClient, revoke, type Session, signInWith, type TestClient } from "../support/oauth-client.ts";

let stack: Stack;
let client: TestClient;
before(async () => {
  stack = await startStack();
  client = await registerClient(stack);
});
after(() => stack.dispose());

const signIn = (): Promise<Session> => signInWith(stack, client);
const FORGED = `m365a.${"A".repeat(22)}.${"A".repeat(59)}`;
const CALL = { name: "getEmails", arguments: { count: 1 } };
const UPGRADE = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };

function upgrade(path: string, headers: Record<string, string> = {}) {
  return handshake(`${stack.url}${path}`, { ...UPGRADE, "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", ...headers });
}

function codeOf(message: Readonly<Record<string, unknown>>): number {
  return (message.error as { code: number }).code;
}

test("EP-04: our shape but invalid, or revoked, is 401 at the upgrade, also without a stream's Accept", async () => {
  const session = await signIn();
  await revoke(stack, client, session.accessToken);
  for (const path of ["/sse", "/mcp"]) {
    for (const token of [FORGED, session.refreshToken, session.accessToken]) {
      const refused = await upgrade(path, { authorization: `Bearer ${token}` });
      assert.equal(refused.status, 401);
      assert.match(refused.headers.get("www-authenticate") ?? "", new RegExp(`oauth-protected-resource${path}"`));
    }
  }
});

test("DX-10: the four headers of curl, with any key, print 101; mcp is echoed where it is offered", async () => {
  for (const path of ["/sse", "/mcp"]) {
    for (const key of ["test", "x", "dGhlIHNhbXBsZSBub25jZQ=="]) {
      assert.equal((await upgrade(path, { "sec-websocket-key": key })).status, 101, key);
    }
    assert.equal((await upgrade(path)).headers.get("sec-websocket-protocol"), null);
    for (const offered of ["mcp", "other, mcp", "mcp,other"]) {
      const accepted = await upgrade(path, { "sec-websocket-protocol": offered });
      assert.equal(accepted.headers.get("sec-websocket-protocol"), "mcp");
    }
    const other = await upgrade(path, { "sec-websocket-protocol": "graphql-ws" });
    assert.deepEqual([other.status, other.headers.get("sec-websocket-protocol")], [101, null]);
  }
});

test("EP-04: without a token discovery works, and what is protected is answered -32001", async () => {
  for (const token of [undefined, "test-token"]) {
    const socket = await Socket.open(`${stack.url}/mcp`, token);
    const { result } = await socket.ask("tools/list", {}, "");
    assert.equal((result as { tools: { name: string }[] }).tools[0]?.name, "getEmails");
    const refused = await socket.ask("tools/call", CALL, 0);
    assert.deepEqual([refused.id, codeOf(refused)], [0, -32001]);
    assert.equal(codeOf(await socket.ask("tools/call", { name: "nope" })), -32602);
    assert.equal(codeOf(await socket.ask("logging/setLevel")), -32601);
    socket.ws.send("{");
    assert.equal(codeOf(await socket.message()), -32700);
    socket.ws.send("[]");
    assert.equal(codeOf(await socket.message()), -32600);
    socket.ws.send('{"method":"notifications/initialized"}');
    socket.ws.send("ping");
    assert.equal(await socket.text(), "pong");
    socket.ws.close();
  }
});

test("EP-04: a token in the URL is never read", async () => {
  const { accessToken } = await signIn();
  for (const name of ["access_token", "token", "authorization"]) {
    const socket = await Socket.open(`${stack.url}/mcp?${name}=${accessToken}`);
    assert.equal(codeOf(await socket.ask("tools/call", CALL)), -32001);
    socket.ws.close();
  }
});

test("EP-04: a signed-in socket lists and calls, in both eras, without any header checks", async () => {
  const { accessToken } = await signIn();
  for (const path of ["/sse", "/mcp"]) {
    const socket = await Socket.open(`${stack.url}${path}`, accessToken);
    assert.equal(socket.ws.protocol, "mcp");
    const { result } = await socket.ask("tools/call", CALL, "a");
    assert.ok(!("isError" in (result as object)), JSON.stringify(result));
    const _meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const modern = (await socket.ask("tools/call", { ...CALL, _meta })).result as Record<string, unknown>;
    assert.equal(modern.resultType, "complete");
    assert.ok("result" in (await socket.ask("server/discover", { _meta })));
    socket.ws.close();
  }
});

test("DO-05: the platform answers a ping", async () => {
  const { accessToken } = await signIn();
  const socket = await Socket.open(`${stack.url}/mcp`, accessToken);
  socket.ws.send("ping");
  assert.equal(await socket.text(), "pong");
  socket.ws.close();
});

test("AU-03: a scope that was not granted is -32001 with the scopes to ask for", async () => {
  const { accessToken } = await signInWith(stack, client, { authorize: { scope: "User.Read" } });
  const socket = await Socket.open(`${stack.url}/mcp`, accessToken);
  const { error } = await socket.ask("tools/call", CALL);
  const { data } = error as { data: Record<string, unknown> };
  assert.equal(data.type, "insufficient_scope");
  assert.deepEqual(String(data.scope).split(" ").sort(), ["Mail.Read", "User.Read"]);
  socket.ws.close();
});

test("AU-02: revoking the token closes the socket with 1008, the grant's refresh token too", async () => {
  for (const name of ["accessToken", "refreshToken"] as const) {
    const session = await signIn();
    const socket = await Socket.open(`${stack.url}/mcp`, session.accessToken);
    // workerd is slow to end the connection of a socket that never said anything, though the frame is sent at once.
    await socket.ask("ping");
    await revoke(stack, client, session[name]);
    assert.equal(await socket.closed, 1008);
  }
});

test("AU-02: a refresh leaves the sockets of the older token open", async () => {
  const session = await signIn();
  const socket = await Socket.open(`${stack.url}/mcp`, session.accessToken);
  assert.equal((await refresh(stack, client, session.refreshToken)).status, 200);
  assert.ok("result" in (await socket.ask("tools/list")));
  socket.ws.close();
});

for (const kind of ["anonymous", "signed-in"] as const) {
  const open = async () =>
    Socket.open(`${stack.url}/mcp`, kind === "anonymous" ? undefined : (await signIn()).accessToken);

  test(`EP-16: a message over 4 MiB closes an ${kind} socket with 1009`, async () => {
    const socket = await open();
    socket.ws.send("x".repeat(4_194_305));
    assert.equal(await socket.closed, 1009);
  });

  test(`DO-07: a burst of over 1,000 messages closes an ${kind} socket with 1008`, async () => {
    const socket = await open();
    for (let sent = 0; sent < 1001; sent += 1) socket.ws.send('{"method":"notifications/initialized"}');
    assert.equal(await socket.closed, 1008);
  });

  test(`DO-07: over 10 MB in a minute closes an ${kind} socket with 1008`, async () => {
    const socket = await open();
    const note = JSON.stringify({ method: "notifications/x", params: { filler: "x".repeat(4_000_000) } });
    for (let sent = 0; sent < 3; sent += 1) socket.ws.send(note);
    assert.equal(await socket.closed, 1008);
  });

  test(`EP-04: a binary message closes an ${kind} socket with 1003`, async () => {
    const socket = await open();
    socket.ws.send(new Uint8Array([1, 2, 3]));
    assert.equal(await socket.closed, 1003);
  });
}

test("LG-02: each message of a socket has its own request id, the same at the gateway and at Graph", async () => {
  const { accessToken } = await signIn();
  const socket = await Socket.open(`${stack.url}/mcp`, accessToken);
  await socket.ask("tools/call", CALL);
  await socket.ask("tools/call", CALL);
  socket.ws.close();
  await stack.settleLogs();
  const ids = stack.logs
    .filter((line) => line.includes('"message":"tool: getEmails"'))
    .slice(-2)
    .map((line) => (JSON.parse(line) as { requestId: string; clientType: string }).requestId);
  assert.equal(new Set(ids).size, 2);
  const atGraph = stack.graph.requests.slice(-2).map(({ headers }) => headers["client-request-id"]);
  assert.deepEqual(atGraph, ids);
});

test("DO-07: a grant has at most 32 sockets", async () => {
  const { accessToken } = await signIn();
  const sockets: Socket[] = [];
  for (let count = 0; count < 32; count += 1) sockets.push(await Socket.open(`${stack.url}/mcp`, accessToken));
  const refused = await upgrade("/mcp", { authorization: `Bearer ${accessToken}` });
  assert.equal(refused.status, 429);
  const [first] = sockets;
  first?.ws.close();
  await first?.closed;
  assert.equal((await upgrade("/mcp", { authorization: `Bearer ${accessToken}` })).status, 101);
  for (const socket of sockets) socket.ws.close();
});

test("EP-04 RL-01: the address limiter counts upgrades, signed in or not", async () => {
  const limited = await startStack({ rateLimits: { LIMIT_CALLS: 2 } });
  try {
    const { accessToken } = await signInWith(limited, await registerClient(limited));
    for (const [address, authorization] of [
      ["203.0.113.1", {}],
      ["203.0.113.2", { authorization: `Bearer ${accessToken}` }],
    ] as const) {
      const attempts: number[] = [];
      const headers = { ...UPGRADE, "sec-websocket-key": "test", "cf-connecting-ip": address, ...authorization };
      for (let count = 0; count < 3; count += 1) attempts.push((await handshake(`${limited.url}/mcp`, headers)).status);
      assert.deepEqual(attempts, [101, 101, 429]);
    }
    assert.equal((await fetch(`${limited.url}/mcp`, { method: "POST", body: '{"method":"tools/list"}' })).status, 200);
  } finally {
    await limited.dispose();
  }
});
