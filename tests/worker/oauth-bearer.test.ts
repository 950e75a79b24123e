// Tokens presented to the resource server: AU-01 to AU-06, D-01 to D-03, row 27.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { mintGrantId, mintToken, type TokenKind } from "../../src/crypto/token.ts";
import { assertToolResult, assertUnauthorized, storageOf, storedGrants } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  type Reply,
  readReply,
  registerClient,
  rpc,
  type Session,
  signInWith,
  type TestClient,
} from "../support/oauth-client.ts";

let stack: Stack;
let client: TestClient;
let session: Session;
before(async () => {
  stack = await startStack();
  client = await registerClient(stack);
  session = await signInWith(stack, client);
});
after(() => stack.dispose());

const DISCOVERY = ["tools/list", "resources/list", "prompts/list", "ping"];

async function mint(
  kind: TokenKind,
  gid: string,
  secondsLeft: number,
  key = stack.bindings.ENCRYPTION_KEY ?? "",
): Promise<string> {
  const expiresAt = epochSeconds(Date.now() + secondsLeft * 1000);
  return (await mintToken(await loadKeyRing(key, undefined), kind, gid, expiresAt)).text;
}

const gidOf = (token: string) => token.split(".")[1] ?? "";

/** AU-02: refused on every method, discovery included. */
async function assertRefusedEverywhere(token: string): Promise<void> {
  for (const path of ["/mcp", "/sse"]) {
    assertUnauthorized(await getEmails(stack, token, { path }));
    for (const method of DISCOVERY) assertUnauthorized(await rpc(stack, method, {}, { token, path }));
  }
}

function dataOf(reply: Reply): Readonly<Record<string, unknown>> {
  const { error } = reply.body;
  assert.ok(typeof error === "object" && error !== null && "code" in error && "message" in error && "data" in error);
  assert.equal(error.code, -32001);
  assert.equal(typeof error.message, "string");
  assert.ok(typeof error.data === "object" && error.data !== null);
  return { ...error.data };
}

for (const path of ["/mcp", "/sse"]) {
  for (const token of [undefined, "test-token"]) {
    test(`AU-01: getEmails on ${path} with ${token ?? "no token"} is 401 with the whole challenge`, async () => {
      const reply = await getEmails(stack, token, { path });
      assert.equal(reply.status, 401);
      const challenge = reply.headers.get("www-authenticate") ?? "";
      assert.match(challenge, /^Bearer error="invalid_token", error_description="[^"]+", /);
      const metadata = `${stack.url}/.well-known/oauth-protected-resource${path}`;
      assert.ok(challenge.includes(`resource_metadata="${metadata}"`), challenge);
      assert.match(challenge, /scope="Mail\.Read"/);
      assert.equal(reply.body.id, 1);
      const data = dataOf(reply);
      assert.deepEqual(data, {
        authorization_endpoint: `${stack.url}/authorize`,
        resource_metadata: metadata,
        type: "auth_required",
        authenticated: false,
      });
      assert.match(reply.text, /Sign in to Microsoft 365/);
      assert.equal((await readReply(await fetch(metadata))).body.resource, `${stack.url}${path}`);
    });
  }
}

test("D-01 / D-03: discovery answers without a token and with a foreign one, without a challenge", async () => {
  for (const token of [
    undefined,
    "test-token",
    "eyJhbGciOiJub25lIn0.e30.",
    "m365.x.y",
    "M365a.x.y",
    "a".repeat(5000),
  ]) {
    for (const method of DISCOVERY) {
      const { status, headers } = await rpc(stack, method, {}, { token });
      assert.equal(status, 200, `${method} ${token?.slice(0, 20)}`);
      assert.equal(headers.get("www-authenticate"), null);
    }
  }
});

test("DX-01: tools/list on /mcp with a placeholder answers the list", async () => {
  const reply = await rpc(stack, "tools/list", {}, { token: "test-token" });
  assert.match(reply.text, /"getEmails"/);
  assert.equal(reply.headers.get("www-authenticate"), null);
});

test("AU-01: a live token works on both paths, whatever the case of Bearer", async () => {
  for (const path of ["/mcp", "/sse"]) {
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      const headers = { authorization: `${scheme} ${session.accessToken}` };
      assertToolResult(await getEmails(stack, undefined, { path, headers }));
    }
  }
});

test("AU-06 / row 27: a refresh token as bearer is 401 on every method", async () => {
  await assertRefusedEverywhere(session.refreshToken);
});

test("AU-06: an authorization code as bearer is 401 on every method", async () => {
  await assertRefusedEverywhere(session.code);
});

test("AU-06: the state sent to Entra as bearer is 401 on every method", async () => {
  const browser = new Browser();
  const page = await browser.open(authorizeUrl(stack, client, pkcePair().challenge));
  const fields = { ...readForm(await page.text()), decision: "approve" };
  const posted = await browser.post(`${stack.url}/authorize`, fields);
  await assertRefusedEverywhere(new URL(posted.headers.get("location") ?? "").searchParams.get("state") ?? "");
});

test("AU-06: a refresh token, code or state dressed as an access token is 401", async () => {
  for (const kind of ["m365r", "m365c", "m365s"] as const) {
    const dressed = (await mint(kind, gidOf(session.accessToken), 600)).replace(kind, "m365a");
    await assertRefusedEverywhere(dressed);
  }
});

test("AU-02 / D-03: our shape but malformed is 401 on every method", async () => {
  const malformed = [
    "m365a.",
    "m365a.x.y",
    "m365z.x.y",
    "m365a..",
    `${session.accessToken}.`,
    `${session.accessToken}A`,
    `${session.accessToken}=`,
    session.accessToken.slice(0, -1),
    session.accessToken.replace("m365a", "m365b"),
    `m365a.${"A".repeat(9000)}`,
  ];
  for (const token of malformed) await assertRefusedEverywhere(token);
});

test("AU-02: forged by a stranger's key is 401 on every method", async () => {
  await assertRefusedEverywhere(await mint("m365a", gidOf(session.accessToken), 600, "0123456789abcdef".repeat(4)));
});

test("AU-02: a token with any character changed is 401, storage unchanged", async () => {
  const stored = await storageOf(stack);
  const token = session.accessToken;
  for (let at = "m365a.".length; at < token.length; at += 1) {
    if (token[at] === ".") continue;
    const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
    // The last character of a part has bits that no byte depends on; every text but the issued one is refused.
    assertUnauthorized(await getEmails(stack, changed));
  }
  assert.deepEqual(await storageOf(stack), stored);
  assertToolResult(await getEmails(stack, token));
});

test("AU-02: a token one second past its end is 401 on every method", async () => {
  await assertRefusedEverywhere(await mint("m365a", gidOf(session.accessToken), -1));
});

test("AU-02: a token that ends this very second is 401", async () => {
  await assertRefusedEverywhere(await mint("m365a", gidOf(session.accessToken), 0));
});

test("AU-02: forged, malformed and expired tokens touch no storage", async () => {
  const stored = await storageOf(stack);
  const tokens = [
    ...(await Promise.all(Array.from({ length: 20 }, () => mint("m365a", mintGrantId(), -1)))),
    ...(await Promise.all(
      Array.from({ length: 20 }, () => mint("m365a", mintGrantId(), 600, "0123456789abcdef".repeat(4))),
    )),
    ...Array.from({ length: 20 }, () => `m365a.${mintGrantId()}.${"A".repeat(59)}`),
  ];
  for (const token of tokens) {
    assertUnauthorized(await rpc(stack, "tools/list", {}, { token }));
    assertUnauthorized(await getEmails(stack, token));
  }
  assert.deepEqual(await storageOf(stack), stored);
});

test("ST-06: a token with a good tag that was never issued is 401 on protected methods", async () => {
  assertUnauthorized(await getEmails(stack, await mint("m365a", gidOf(session.accessToken), 600)));
  assertToolResult(await getEmails(stack, session.accessToken));
});

test("ST-07: a token with a good tag for an object that never was creates no table", async () => {
  const before = await storedGrants(stack);
  assertUnauthorized(await getEmails(stack, await mint("m365a", mintGrantId(), 600)));
  assert.deepEqual(await storedGrants(stack), before);
});

test("row 27 / RFC 6750 §2.3: a token in the query or in the body is not read", async () => {
  for (const name of ["access_token", "token", "bearer_token", "authorization"]) {
    const path = `/mcp?${name}=${session.accessToken}`;
    assertUnauthorized(await getEmails(stack, undefined, { path }));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = new URLSearchParams({ [name]: session.accessToken });
    const posted = await fetch(`${stack.url}/mcp`, { method: "POST", body, headers });
    await posted.body?.cancel();
    assert.equal(posted.status, 400);
  }
});

test("row 27: a token in a cookie or another header is not read", async () => {
  const carriers: readonly Record<string, string>[] = [
    { cookie: `access_token=${session.accessToken}; Authorization=Bearer ${session.accessToken}` },
    { "x-authorization": `Bearer ${session.accessToken}` },
    { "x-forwarded-access-token": session.accessToken },
    { "cf-access-jwt-assertion": session.accessToken },
    { "x-api-key": session.accessToken },
    { authorization: session.accessToken },
    { authorization: `Basic ${session.accessToken}` },
    { authorization: `Token ${session.accessToken}` },
    { "proxy-authorization": `Bearer ${session.accessToken}` },
  ];
  for (const headers of carriers) assertUnauthorized(await getEmails(stack, undefined, { headers }));
});

test("AU-04: existence comes before sign-in", async () => {
  const reply = await rpc(stack, "tools/call", { name: "noSuchTool", arguments: {} });
  assert.equal(reply.status, 200);
  assert.match(reply.text, /-32602/);
  assert.equal(reply.headers.get("www-authenticate"), null);
});

test("AU-03: a missing scope is 403 with everything granted and needed", async () => {
  const narrow = await signInWith(stack, await registerClient(stack), { authorize: { scope: "Mail.Read" } });
  const params = { name: "sendEmail", arguments: { to: "boris.lindqvist@contoso.example", subject: "x", body: "y" } };
  const reply = await rpc(stack, "tools/call", params, { token: narrow.accessToken });
  assert.equal(reply.status, 403, reply.text);
  const challenge = reply.headers.get("www-authenticate") ?? "";
  assert.match(challenge, /^Bearer error="insufficient_scope"/);
  assert.deepEqual(/scope="([^"]*)"/.exec(challenge)?.[1]?.split(" ").sort(), ["Mail.Read", "Mail.Send"]);
  assert.ok(challenge.includes(`resource_metadata="${stack.url}/.well-known/oauth-protected-resource/mcp"`));
  const data = dataOf(reply);
  assert.equal(data.type, "insufficient_scope");
  // Of what is asked for, the sentence names what is missing.
  assert.match(reply.text, /This needs Mail\.Send, which was not granted; sign in again/);
  const scopes = Array.isArray(data.scope) ? data.scope.map(String) : String(data.scope).split(" ");
  assert.deepEqual(scopes.sort(), ["Mail.Read", "Mail.Send"]);
});

test("AU-06: a token asked for one spelling of this server works on every other", async () => {
  const other = await registerClient(stack);
  for (const suffix of ["", "/", "/sse", "/mcp"]) {
    const { accessToken } = await signInWith(stack, other, { authorize: { resource: `${stack.url}${suffix}` } });
    for (const path of ["/sse", "/mcp"]) assertToolResult(await getEmails(stack, accessToken, { path }));
  }
});

test("AU-06: on loopback localhost and 127.0.0.1 with equal port are one audience", async () => {
  const local = { url: stack.url.replace("127.0.0.1", "localhost") };
  assertToolResult(await getEmails(local, session.accessToken));
});

test("AU-06 / RFC 9700 §2.3: a token for another resource is 401", async (t) => {
  // The same keys and storage under another name: a token of the old origin is for another resource.
  const moved = await startStack();
  t.after(() => moved.dispose());
  const other = await registerClient(moved);
  const { accessToken } = await signInWith(moved, other);
  assertToolResult(await getEmails(moved, accessToken));
  await moved.restart({ WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" });
  const answer = await moved.mf.dispatchFetch("https://mcp.contoso.example/mcp", {
    method: "POST",
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "getEmails", arguments: {} } }),
    headers: { authorization: `Bearer ${accessToken}`, "content-type": "application/json" },
  });
  assert.equal(answer.status, 401);
  await answer.text();
});

test("AU-05: REQUIRE_AUTH_ON_INITIALIZE asks for a token on every discovery method, and leaves OAuth alone", async (t) => {
  const strict = await startStack({ bindings: { REQUIRE_AUTH_ON_INITIALIZE: "true" } });
  t.after(() => strict.dispose());
  const initialize = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "test", version: "1" },
  };
  assertUnauthorized(await rpc(strict, "initialize", initialize));
  for (const method of DISCOVERY) {
    assertUnauthorized(await rpc(strict, method, {}));
    assertUnauthorized(await rpc(strict, method, {}, { token: "test-token" }));
  }
  for (const path of ["/health", "/.well-known/oauth-authorization-server"]) {
    assert.equal((await readReply(await fetch(`${strict.url}${path}`))).status, 200, path);
  }
  const { accessToken: token } = await signInWith(strict, await registerClient(strict));
  assert.equal((await rpc(strict, "initialize", initialize, { token })).status, 200);
});

test("D-02: a 2024-11-05 GET for a stream without a token is 401, with MCP-Protocol-Version it is 405", async () => {
  const stream = { accept: "text/event-stream" };
  assertUnauthorized(await readReply(await fetch(`${stack.url}/sse`, { headers: stream })));
  const probe = await fetch(`${stack.url}/mcp`, { headers: { ...stream, "mcp-protocol-version": "2025-06-18" } });
  await probe.body?.cancel();
  assert.equal(probe.status, 405);
  assert.equal(probe.headers.get("www-authenticate"), null);
});
