import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { handshake } from "../support/mcp.ts";
import { type Reply, readReply, registerClient, rpc, signInWith } from "../support/oauth-client.ts";

const FORGED = `m365a.${"A".repeat(22)}.${"A".repeat(59)}`;
const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}';
const CALL = '{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"getEmails","arguments":{"count":2}}}';
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": {},
};

let stack: Stack;
let token: string;
before(async () => {
  stack = await startStack();
  token = (await signInWith(stack, await registerClient(stack))).accessToken;
});
after(() => stack.dispose());

async function send(
  path: string,
  method = "POST",
  headers: Record<string, string> = {},
  body: string | undefined = method === "POST" ? LIST : undefined,
): Promise<Reply> {
  return readReply(await fetch(`${stack.url}${path}`, { method, headers, body: body ?? null, redirect: "manual" }));
}

function errorOf({ body }: Reply): { code: number; data?: Record<string, unknown> } {
  return body.error as { code: number };
}

async function modern(method: string, params: object = {}, headers: Record<string, string> = {}): Promise<Reply> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: META } });
  return send("/mcp", "POST", { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": method, ...headers }, body);
}

const STREAM = { accept: "text/event-stream" };
const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

for (const path of ["/sse", "/mcp"]) {
  test(`CS-04: a foreign or null Origin on ${path} is 403 whatever comes with it`, async () => {
    for (const origin of ["https://evil.example", "null", "http://localhost.evil.example", `${stack.url}/`]) {
      for (const method of ["GET", "POST", "DELETE", "PUT"]) {
        const refused = await send(
          path,
          method,
          { origin, authorization: `Bearer ${token}` },
          method === "POST" ? "{" : undefined,
        );
        assert.equal(refused.status, 403, `${method} ${origin}`);
        assert.equal(refused.headers.get("access-control-allow-origin"), null);
      }
      assert.equal((await handshake(`${stack.url}${path}`, { ...UPGRADE, origin })).status, 403);
    }
  });

  test(`EP-05: a key or version without Upgrade on ${path} is 426; Connection: upgrade on a POST changes nothing`, async () => {
    for (const name of ["sec-websocket-key", "sec-websocket-version"]) {
      const refused = await handshake(`${stack.url}${path}`, { [name]: "13", ...STREAM });
      assert.equal(refused.status, 426);
      // The runtime keeps the Upgrade field of the answer to itself, so the text says it too.
      assert.match(refused.text, /Upgrade: websocket/);
      assert.match(refused.text, /POST/);
    }
    for (const connection of ["upgrade", "Upgrade, keep-alive"]) {
      const posted = await handshake(`${stack.url}${path}`, { connection }, PING);
      assert.deepEqual([posted.status, posted.text], [200, '{"jsonrpc":"2.0","id":1,"result":{}}']);
    }
  });

  test(`D-02: GET ${path} for a stream without a valid token is 401, and 405 once a revision is named`, async () => {
    for (const authorization of [undefined, "Bearer test-token", `Bearer ${FORGED}`]) {
      const auth: Record<string, string> = authorization === undefined ? {} : { authorization };
      const refused = await send(path, "GET", { ...STREAM, ...auth });
      assert.equal(refused.status, 401);
      assert.match(refused.headers.get("www-authenticate") ?? "", new RegExp(`oauth-protected-resource${path}"`));
      assert.equal(errorOf(refused).code, -32001);
      assert.equal((await send(path, "GET", { ...STREAM, ...auth, "MCP-Protocol-Version": "2025-06-18" })).status, 405);
      // RFC 9110 §8.3.1: media types have no case.
      assert.equal((await send(path, "GET", { accept: "Text/Event-Stream", ...auth })).status, 401);
    }
    const probing = { ...STREAM, authorization: `Bearer ${token}`, "MCP-Protocol-Version": "2025-11-25" };
    assert.equal((await send(path, "GET", probing)).status, 405);
  });

  test(`EP-14: a browser at ${path} is told where the page is, and never to use the method that it used`, async () => {
    const { error_description } = JSON.parse((await send(path, "GET", { Accept: "text/html" })).text);
    assert.equal(error_description, `Use POST or OPTIONS; in a browser open ${stack.url}/.`);
  });

  test(`EP-14: other GETs, DELETE, PUT and PATCH on ${path} are 405 with Allow, token or not`, async () => {
    for (const headers of [{}, { authorization: `Bearer ${token}` }, { authorization: `Bearer ${FORGED}` }]) {
      for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
        const refused = await send(path, method, headers as Record<string, string>);
        assert.equal(refused.status, 405, method);
        assert.equal(refused.headers.get("allow"), "GET, POST, OPTIONS");
      }
    }
  });

  test(`CS-01: an allowed origin on ${path} is echoed on answers and on errors, and nobody else's is`, async () => {
    const origin = stack.url;
    const bodies = [LIST, CALL, "{", "[]", "x".repeat(4_194_305)];
    for (const [index, status] of [200, 401, 400, 400, 413].entries()) {
      // On a connection of its own: workerd drops one whose body was not read to the end.
      const answered = await handshake(`${stack.url}${path}`, { origin }, bodies[index] ?? "");
      assert.equal(answered.status, status);
      assert.equal(answered.headers.get("access-control-allow-origin"), origin);
      assert.match(answered.headers.get("vary") ?? "", /Origin/);
      assert.match(answered.headers.get("access-control-expose-headers") ?? "", /WWW-Authenticate.*X-Request-Id/);
      assert.equal(answered.headers.get("access-control-allow-credentials"), null);
    }
    for (const [method, headers] of [
      ["DELETE", {}],
      ["GET", {}],
      ["GET", STREAM],
    ] as const) {
      const refused = await send(path, method, { origin, ...headers });
      assert.equal(refused.headers.get("access-control-allow-origin"), origin);
    }
    const absent = await send(path);
    assert.deepEqual([absent.status, absent.headers.get("access-control-allow-origin")], [200, null]);
  });

  test(`CS-01: a preflight on ${path} is 204 and allows what MCP clients send`, async () => {
    const answered = await send(path, "OPTIONS", { origin: stack.url, "access-control-request-method": "POST" });
    assert.equal(answered.status, 204);
    assert.equal(answered.headers.get("access-control-allow-origin"), stack.url);
    for (const name of ["Authorization", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"]) {
      assert.match(answered.headers.get("access-control-allow-headers") ?? "", new RegExp(name));
    }
    const foreign = await send(path, "OPTIONS", { origin: "https://evil.example" });
    assert.deepEqual([foreign.status, foreign.headers.get("access-control-allow-origin")], [204, null]);
  });
}

test("EP-02: /mcp answers byte for byte as /sse", async () => {
  for (const body of [LIST, PING, "{", '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}', "[]"]) {
    const [one, other] = [await send("/sse", "POST", {}, body), await send("/mcp", "POST", {}, body)];
    assert.deepEqual([one.status, one.text], [other.status, other.text]);
  }
});

test("EP-06, DX-03: the body is JSON whatever its Content-Type, also none", async () => {
  for (const type of [
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=utf-8",
    "nonsense",
  ]) {
    assert.equal((await send("/sse", "POST", { "content-type": type })).status, 200);
  }
  const bare = await fetch(`${stack.url}/sse`, { method: "POST", body: new TextEncoder().encode(LIST) });
  assert.equal(bare.status, 200);
  const listed = (await bare.json()) as { result: { tools: { name: string }[] } };
  assert.equal(listed.result.tools[0]?.name, "getEmails");
});

test("DX-01: a foreign-shaped bearer lists, with no WWW-Authenticate", async () => {
  const listed = await send("/mcp", "POST", { authorization: "Bearer test-token" });
  assert.deepEqual([listed.status, listed.headers.get("www-authenticate")], [200, null]);
});

test("DX-05, AU-01: tools/call without a valid token is 401 and says where to sign in", async () => {
  for (const headers of [{}, { authorization: "Bearer test-token" }, { authorization: `Bearer ${FORGED}` }]) {
    const refused = await send("/sse", "POST", headers as Record<string, string>, CALL);
    assert.equal(refused.status, 401);
    const challenge = refused.headers.get("www-authenticate") ?? "";
    assert.match(challenge, /^Bearer error="invalid_token", error_description="[^"]+", resource_metadata="/);
    assert.match(challenge, /scope="Mail\.Read"/);
    assert.equal(refused.body.id, "x");
    const { code, data } = errorOf(refused);
    assert.equal(code, -32001);
    assert.deepEqual(data, {
      type: "auth_required",
      authenticated: false,
      authorization_endpoint: `${stack.url}/authorize`,
      resource_metadata: `${stack.url}/.well-known/oauth-protected-resource/sse`,
    });
  }
});

test("DX-05: tools/call with a token and no Content-Type answers at most count", async () => {
  const body = new TextEncoder().encode(CALL);
  const called = await fetch(`${stack.url}/sse`, {
    method: "POST",
    body,
    headers: { authorization: `Bearer ${token}` },
  });
  const { result } = (await called.json()) as { result: { content: { text: string }[] } };
  assert.equal((JSON.parse(result.content[0]?.text ?? "") as unknown[]).length, 2);
});

test("AU-02: our shape but wrong is 401 on every method and touches no storage", async () => {
  const kv = await stack.kv();
  const objects = await stack.objectStorage();
  for (const wrong of [
    FORGED,
    "m365a.",
    "m365a.garbage",
    "m365r.x.y",
    "m365z.x",
    `${token.slice(0, -1)}!`,
    `${token}x`,
  ]) {
    for (const method of ["tools/list", "initialize", "ping", "notifications/initialized"]) {
      const refused = await rpc(stack, method, {}, { token: wrong });
      // JSON-RPC: with an id this notification is an unknown request, which is said first.
      assert.equal(refused.status, method.startsWith("notifications/") ? 200 : 401, `${wrong} ${method}`);
    }
    const noted = await send(
      "/mcp",
      "POST",
      { authorization: `Bearer ${wrong}` },
      '{"method":"notifications/initialized"}',
    );
    assert.equal(noted.status, 401);
  }
  assert.deepEqual(await stack.kv(), kv);
  assert.equal(await stack.objectStorage(), objects);
});

test("AU-04: what does not exist is said before anybody is asked to sign in", async () => {
  for (const auth of [undefined, FORGED, "test-token", token]) {
    const tool = await rpc(stack, "tools/call", { name: "nope" }, { token: auth });
    assert.deepEqual([tool.status, errorOf(tool).code], [200, -32602]);
    const resource = await rpc(stack, "resources/read", { uri: "microsoft://nope" }, { token: auth });
    assert.deepEqual([resource.status, errorOf(resource).code], [200, -32002]);
    assert.deepEqual(errorOf(resource).data, { uri: "microsoft://nope" });
  }
});

test("ER-01: resources/read without a uri is -32602 in both eras, for everybody", async () => {
  for (const params of [{}, { uri: null }, { uri: 5 }, { uri: {} }]) {
    for (const auth of [undefined, token]) {
      const older = await rpc(stack, "resources/read", params, { token: auth });
      assert.deepEqual([older.status, errorOf(older).code], [200, -32602]);
    }
    const newer = await modern("resources/read", params);
    assert.deepEqual([newer.status, errorOf(newer).code], [200, -32602]);
    assert.match(newer.text, /uri must be a text/);
  }
});

test("EP-08, D-19, DX-06: initialize echoes a legacy revision and answers 2025-11-25 to any other", async () => {
  for (const [asked, answered] of [
    ["2024-11-05", "2024-11-05"],
    ["2025-03-26", "2025-03-26"],
    ["2025-06-18", "2025-06-18"],
    ["2025-11-25", "2025-11-25"],
    ["2026-07-28", "2025-11-25"],
    ["1999-01-01", "2025-11-25"],
    [undefined, "2025-11-25"],
  ]) {
    const { body } = await rpc(stack, "initialize", asked === undefined ? {} : { protocolVersion: asked });
    const result = body.result as Record<string, unknown>;
    assert.equal(result.protocolVersion, answered);
    // PR-02: what exists, and nothing that does not.
    assert.deepEqual(result.capabilities, { tools: {}, resources: {}, prompts: {} });
    assert.equal((result.serverInfo as { name: string }).name, "microsoft-365-mcp");
    // Sign-in, time zone, paging, and what mail is.
    for (const topic of [/no sign-in/, /timeZone, by default UTC/, /pageToken/, /never instructions/]) {
      assert.match(String(result.instructions), topic);
    }
    for (const name of ["resultType", "ttlMs", "cacheScope", "_meta"]) assert.ok(!(name in result));
  }
});

test("EP-17: server/discover and lists say what a modern client needs", async () => {
  const discovered = await modern("server/discover");
  assert.equal(discovered.status, 200);
  const result = discovered.body.result as Record<string, unknown>;
  assert.deepEqual(result.supportedVersions, ["2026-07-28"]);
  assert.deepEqual(result.capabilities, { tools: {}, resources: {}, prompts: {} });
  for (const method of [
    "server/discover",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
  ]) {
    const { resultType, ttlMs, cacheScope, _meta } = (await modern(method)).body.result as Record<string, unknown>;
    assert.deepEqual([resultType, ttlMs, cacheScope], ["complete", 3_600_000, "public"]);
    assert.ok(typeof _meta === "object" && _meta !== null && "io.modelcontextprotocol/serverInfo" in _meta);
  }
});

test("EP-17: a modern call carries resultType and server info, a legacy one neither", async () => {
  const params = { name: "getEmails", arguments: { count: 1 } };
  const called = await modern("tools/call", params, { "Mcp-Name": "getEmails", authorization: `Bearer ${token}` });
  assert.equal((called.body.result as Record<string, unknown>).resultType, "complete");
  const legacy = (await rpc(stack, "tools/call", params, { token })).body.result as Record<string, unknown>;
  assert.ok(!("resultType" in legacy) && !("_meta" in legacy));
});

test("EP-18: a tampered Mcp-Name is -32020 before the token is looked at", async () => {
  const refused = await modern("tools/call", { name: "getEmails" }, { "Mcp-Name": "sendEmail" });
  assert.deepEqual([refused.status, errorOf(refused).code], [400, -32020]);
});

test("EP-16: a body of 5 MiB is 413 and names both limits", async () => {
  const refused = await handshake(`${stack.url}/mcp`, {}, "x".repeat(5 * 1024 * 1024));
  assert.equal(refused.status, 413);
  assert.match(refused.text, /4194304.*3 MB/);
});

test("D-45: no session id is ever issued, and one that is sent is ignored", async () => {
  const body = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}';
  for (const path of ["/sse", "/mcp"]) {
    const answered = await send(path, "POST", { "Mcp-Session-Id": "made-up" }, body);
    assert.deepEqual([answered.status, answered.headers.get("mcp-session-id")], [200, null]);
  }
});

test("EP-03: the message path takes POST only, and needs the stream's token before its id", async () => {
  assert.equal((await send("/sse/message?sessionId=x", "GET", STREAM)).headers.get("allow"), "POST, OPTIONS");
  for (const path of ["/sse/message?sessionId=x", "/sse/message", "/sse?sessionId=x"]) {
    for (const authorization of ["", "Bearer test-token", `Bearer ${FORGED}`]) {
      const refused = await send(path, "POST", { authorization }, PING);
      assert.deepEqual([refused.status, refused.body.id], [401, 1], path);
    }
    const unknown = await send(path, "POST", { authorization: `Bearer ${token}` }, PING);
    assert.deepEqual([unknown.status, unknown.body.id], [404, 1], path);
    assert.equal((await send(path, "POST", { authorization: `Bearer ${token}` }, "{")).status, 400);
  }
  assert.equal((await send("/mcp?sessionId=x", "POST", {}, PING)).status, 200);
});

test("DO-02: discovery asks neither an object nor KV, whoever asks", async () => {
  const kv = await stack.kv();
  const objects = await stack.objectStorage();
  await stack.settleLogs();
  const logged = stack.logs.length;
  for (const method of ["initialize", "ping", "tools/list", "resources/list", "prompts/list", "server/discover"]) {
    const asked = [undefined, "test-token", token].flatMap((bearer) => Array.from({ length: 7 }, () => bearer));
    const answers = await Promise.all(asked.map((bearer) => rpc(stack, method, {}, { token: bearer })));
    assert.ok(answers.every(({ status }) => status === 200));
  }
  assert.deepEqual(await stack.kv(), kv);
  assert.equal(await stack.objectStorage(), objects);
  await stack.settleLogs();
  assert.equal(stack.logs.length, logged);
});

test("CS-01: an upgrade of an allowed origin is 101 and has the headers of every answer", async () => {
  const opened = await handshake(`${stack.url}/mcp`, { ...UPGRADE, origin: stack.url });
  assert.equal(opened.status, 101);
  assert.match(opened.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
});

test("ER-09: every answer of the endpoint has its own request id and the house's headers", async () => {
  const seen = new Set<string>();
  for (const [method, headers] of [
    ["POST", {}],
    ["GET", {}],
    ["GET", STREAM],
    ["PUT", {}],
    ["OPTIONS", {}],
  ] as const) {
    const answered = await send("/mcp", method, { "x-request-id": "mine", ...headers });
    seen.add(answered.headers.get("x-request-id") ?? "");
    assert.equal(answered.headers.get("x-content-type-options"), "nosniff");
    assert.equal(answered.headers.get("cache-control"), "no-store");
  }
  assert.equal(seen.size, 5);
  assert.ok(!seen.has("mine"));
});
