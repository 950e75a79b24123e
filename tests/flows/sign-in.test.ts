// A client meets the server, signs in when it is asked to, reads and sends mail; then everything kept is searched.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { approve } from "../../fixtures/browser.ts";
import { ExampleClient, ToolError } from "../../fixtures/example-client.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { createWitness, findSecrets, type Witness } from "../support/witness.ts";

const REDIRECT_URL = "http://127.0.0.1:33418/callback";

function connect(stack: Stack, witness: Witness, onSignIn: (authorizeUrl: URL) => void = () => undefined) {
  return ExampleClient.connect({
    serverUrl: `${stack.url}/mcp`,
    redirectUrl: REDIRECT_URL,
    authMethod: "client_secret_basic",
    fetch: witness.fetch,
    signIn: (authorizeUrl) => {
      onSignIn(authorizeUrl);
      return approve(witness.browser, authorizeUrl.href);
    },
  });
}

function rpc(stack: Stack, method: string, params: object = {}): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  return fetch(`${stack.url}/mcp`, { method: "POST", body });
}

describe("a server that lacks something", () => {
  const SECRET = "MICROSOFT_CLIENT_SECRET";
  /** Half of what is needed (D-08). */
  const SHORT_KEY = "0123456789abcdef0123456789abcdef";
  let stack: Stack;
  before(async () => {
    stack = await startStack({ bindings: { [SECRET]: undefined } });
  });
  after(() => stack.dispose());

  const refusals: readonly [what: string, ask: () => Promise<Response>][] = [
    ["/authorize", () => fetch(`${stack.url}/authorize?client_id=x`)],
    ["/token", () => fetch(`${stack.url}/token`, { method: "POST", body: "grant_type=refresh_token" })],
    ["a protected call", () => rpc(stack, "tools/call", { name: "getEmails" })],
    ["/health", () => fetch(`${stack.url}/health`)],
  ];
  for (const [what, ask] of refusals) {
    test(`CF-01: without ${SECRET} ${what} answers 503 and names it`, async () => {
      const response = await ask();
      const text = await response.text();
      assert.equal(response.status, 503);
      assert.match(text, new RegExp(SECRET));
      for (const name of ["ENCRYPTION_KEY", "COOKIE_ENCRYPTION_KEY", "COOKIE_SECRET"]) {
        assert.ok(!text.includes(stack.bindings[name] ?? "absent"), `${name} is shown`);
      }
    });
  }

  test(`CF-01: without ${SECRET} tools/list answers all the same`, async () => {
    assert.equal((await rpc(stack, "tools/list")).status, 200);
  });

  test("CF-08: a key of 32 characters is named by /health, and not shown", async () => {
    await stack.restart({ [SECRET]: "a-secret-of-the-simulated-registration", ENCRYPTION_KEY: SHORT_KEY });
    const response = await fetch(`${stack.url}/health`);
    const text = await response.text();
    assert.equal(response.status, 503);
    assert.match(text, /ENCRYPTION_KEY/);
    assert.ok(!text.includes(SHORT_KEY));
  });
});

describe("a server without a way to Graph", () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack({ withoutAi: true });
  });
  after(() => stack.dispose());

  test("GW-02: a call is a failure that says so, and goes nowhere", async () => {
    const client = await connect(stack, createWitness());
    const failure = await client.call("getEmails").catch((error: unknown) => error);
    assert.ok(failure instanceof ToolError);
    assert.equal(Object(failure.structured.error).type, "egress_unconfigured");
    assert.equal(stack.graph.requests.length, 0);
    assert.deepEqual(stack.trespasses, []);
    await client.close();
  });

  test("GW-02: /health is 503", async () => {
    const response = await fetch(`${stack.url}/health`);
    assert.equal(response.status, 503);
    assert.match(await response.text(), /AI/);
  });
});

describe("the whole journey", () => {
  /** Words that stand nowhere else. */
  const MAIL = {
    to: "kestrel.5502@contoso.example",
    subject: "quetzal lantern 7319",
    body: "obsidian marmalade 2846",
    contentType: "text",
  };
  const witness = createWitness();
  const authorizeUrls: URL[] = [];
  let stack: Stack;
  let inbox: readonly { readonly subject: string }[];
  let sentItems: readonly unknown[];
  let kept: string;

  before(async () => {
    stack = await startStack({ bindings: { DEBUG: "true" } });
    const client = await connect(stack, witness, (authorizeUrl) => authorizeUrls.push(authorizeUrl));
    await client.listTools();
    inbox = await client.call("getEmails", { count: 3 });
    await client.call("sendEmail", MAIL);
    // The client holds a refresh token, so this renews what it has.
    await client.signIn();
    sentItems = await client.call("getEmails", { folder: "sent", count: 1 });
    await client.close();
    await stack.settleLogs();
    const entries = (await stack.kv()).map(({ key, value, metadata }) =>
      [key, value, JSON.stringify(metadata)].join(" "),
    );
    kept = [...entries, await stack.objectStorage(), ...stack.logs].join("\n");
  });
  after(() => stack.dispose());

  const statusesOf = (text: string) =>
    witness.exchanges.filter(({ requestBody }) => requestBody.includes(text)).map(({ status }) => status);

  test("EP-01: the tools are listed before anybody signs in", () => {
    const listed = witness.exchanges.findIndex(({ requestBody }) => requestBody.includes('"tools/list"'));
    const registered = witness.exchanges.findIndex(({ url }) => url.pathname === "/register");
    assert.ok(listed !== -1 && listed < registered);
    assert.equal(witness.exchanges[listed]?.requestHeaders.has("authorization"), false);
  });

  test("AU-01: the first call is 401, and the client signs in for what the challenge names", () => {
    assert.deepEqual(statusesOf('"getEmails"'), [401, 200, 200]);
    assert.equal(authorizeUrls[0]?.searchParams.get("scope"), "Mail.Read");
  });

  test("AU-03: a call beyond the token's scope is 403, and the step-up keeps what was granted", () => {
    assert.deepEqual(statusesOf('"sendEmail"'), [403, 200]);
    assert.equal(authorizeUrls[1]?.searchParams.get("scope"), "Mail.Read Mail.Send");
    assert.equal(authorizeUrls.length, 2);
  });

  test("TL-03: getEmails answers as many mails as were asked for", () => {
    assert.equal(inbox.length, 3);
  });

  test("TL-01: the mail is sent once and lies in the sent items", () => {
    assert.equal(stack.graph.sentMail(ADA).length, 1);
    assert.match(JSON.stringify(sentItems), new RegExp(MAIL.subject));
  });

  test("OA-08: the client renews its tokens with the refresh token", () => {
    assert.deepEqual(statusesOf("grant_type=refresh_token"), [200]);
  });

  test("GW-03: the gateway logs each call once, with four facts and no payload", () => {
    const { log } = stack.gateway;
    assert.deepEqual(
      log.map(({ metadata }) => metadata.mcpTool),
      ["getEmails", "sendEmail", "getEmails"],
    );
    for (const { metadata, payloadCollected, skipCache } of log) {
      assert.deepEqual(Object.keys(metadata).sort(), ["mcpTool", "requestId", "userEmail", "userId"]);
      assert.equal(metadata.userEmail, ADA.email);
      assert.deepEqual({ payloadCollected, skipCache }, { payloadCollected: false, skipCache: true });
    }
    assert.equal(new Set(log.map(({ metadata }) => metadata.requestId)).size, log.length);
  });

  test("GW-04: the log line of a call names the gateway's entry", () => {
    const lines = stack.logs.join("\n");
    for (const { logId, metadata } of stack.gateway.log) {
      assert.ok(lines.includes(logId), "log id");
      assert.ok(lines.includes(String(metadata.requestId)), "request id");
    }
  });

  test("D-21: the Worker calls Entra and nobody else", () => {
    assert.deepEqual(stack.trespasses, []);
    assert.deepEqual([...new Set(stack.outbound)], [new URL(stack.entra.origin).host]);
  });

  test("ST-01: what is searched holds the journey", () => {
    assert.match(kept, /"tokenEndpointAuthMethod":"client_secret_basic"/);
    assert.match(kept, /"state":"active"/);
    assert.match(kept, /v1\.[\w-]{8}\./);
    assert.match(kept, /tool: sendEmail/);
    const kinds = new Set(witness.secrets.values());
    for (const kind of ["access_token", "refresh_token", "code", "client_secret", "cookie m365-form"]) {
      assert.ok(kinds.has(kind), kind);
    }
  });

  test("ST-01: no token, code, secret or cookie is stored or logged", () => {
    assert.deepEqual(findSecrets(kept, witness.secrets), []);
  });

  test("ST-02: nothing that Microsoft issued is stored in the clear or logged", () => {
    assert.ok(!/simulated-(code|graph-at|graph-rt)/.test(kept), "a Microsoft code or token");
    assert.ok(!/eyJ[\w-]{16,}\.eyJ/.test(kept), "an id_token");
  });

  test("LG-01: no key of the configuration is stored or logged", () => {
    for (const [name, value] of Object.entries(stack.bindings)) {
      if (/KEY|SECRET/.test(name)) assert.ok(!kept.includes(value), name);
    }
  });

  test("D-37: no mail is stored or logged, neither what was sent nor what was read", () => {
    const words = [MAIL.to, MAIL.subject, MAIL.body, ...inbox.map(({ subject }) => subject)];
    assert.equal(words.length, 6);
    // Object storage is read byte by byte.
    const bytes = (word: string) => Buffer.from(word).toString("latin1");
    for (const word of words) assert.ok(!kept.includes(word) && !kept.includes(bytes(word)), word);
  });
});
