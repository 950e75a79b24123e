// Client metadata documents: OA-17, D-21, rows 32 and 33.
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { Browser, pkcePair, readForm } from "../../fixtures/browser.ts";
import { type RunningServer, serve } from "../../fixtures/http.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { assertOAuthError, assertPage, assertToolResult, assertUnauthorized } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  getEmails,
  obtainCode,
  redeem,
  refresh,
  revoke,
  signInWith,
  type TestClient,
} from "../support/oauth-client.ts";

const ORIGIN = "https://client.example.com";
const REDIRECT = `${ORIGIN}/callback`;

let documents: RunningServer;
let stack: Stack;
/** How the document server answers next. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let fetched: IncomingMessage[] = [];
const called: string[] = [];
before(async () => {
  documents = await serve((request, response) => {
    fetched.push(request);
    answer(request, response);
  });
  stack = await startStack({ hosts: { [ORIGIN]: documents.origin }, outbound: (url) => called.push(url) });
});
after(async () => {
  await stack.dispose();
  await documents.close();
});
afterEach(() => {
  fetched = [];
});

let lastPath = 0;
/** A client id that nobody has asked for. */
function freshId(): string {
  lastPath += 1;
  return `${ORIGIN}/clients/${lastPath}.json`;
}

const documentOf = (clientId: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  client_id: clientId,
  client_name: "Orchard Assistant",
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: "none",
  ...changes,
});

function answerWith(body: unknown, status = 200, headers: Record<string, string> = {}): void {
  answer = (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

const clientOf = (clientId: string, redirectUri = REDIRECT): TestClient => ({
  clientId,
  clientSecret: undefined,
  method: "none",
  redirectUri,
});

const ask = (clientId: string, redirectUri = REDIRECT) =>
  new Browser().open(authorizeUrl(stack, { clientId, redirectUri }, pkcePair().challenge));

test("OA-17: a document is a client: sign-in, calls, refresh, revocation", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId));
  const client = clientOf(clientId);
  const session = await signInWith(stack, client);
  assertToolResult(await getEmails(stack, session.accessToken));
  assert.equal((await refresh(stack, client, session.refreshToken)).status, 200);
  assert.equal((await revoke(stack, client, session.refreshToken)).status, 200);
  assertUnauthorized(await getEmails(stack, session.accessToken));
  assert.deepEqual(stack.trespasses, []);
});

test("OA-17 / OA-20: a grant of a client whose address is longer than a KV key is in the index of its person", async () => {
  const clientId = `${freshId().replace(".json", "")}/${"a".repeat(600)}.json`;
  answerWith(documentOf(clientId));
  const session = await signInWith(stack, clientOf(clientId));
  const gid = session.accessToken.split(".")[1] ?? "";
  // The index is written after the answer; the next request of the same isolate finds it.
  const deadline = Date.now() + 5000;
  let names: string[] = [];
  while (Date.now() < deadline && !names.some((name) => name.endsWith(gid))) {
    names = (await stack.kv()).map(({ key }) => key).filter((key) => key.startsWith("user:"));
  }
  assert.ok(names.some((name) => name.endsWith(`:${gid}`)));
});

test("OA-17: the page shows the document's words and the host that vouches for them", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId, { client_uri: "https://client.example.com/about", client_name: "<b>Orchard</b>" }));
  const page = await ask(clientId);
  const text = await page.text();
  assert.equal(page.status, 200);
  for (const shown of ["&lt;b&gt;Orchard&lt;/b&gt;", "client.example.com", clientId])
    assert.ok(text.includes(shown), shown);
});

test("OA-17: a request for a document is a plain GET: no cookie, no token, no referrer", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId));
  await (await ask(clientId)).body?.cancel();
  const [request] = fetched;
  assert.equal(request?.method, "GET");
  for (const name of ["cookie", "authorization", "referer", "origin", "x-forwarded-for"]) {
    assert.equal(request?.headers[name], undefined, name);
  }
});

test("OA-17: the document is kept, in CACHE_KV, for at most a day", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId));
  await (await ask(clientId)).body?.cancel();
  await (await ask(clientId)).body?.cancel();
  assert.equal(fetched.length, 1);
  const entries = (await stack.kv()).filter(({ value }) => value.includes(clientId));
  assert.deepEqual(
    entries.map(({ namespace }) => namespace),
    ["CACHE_KV"],
  );
  const left = (entries[0]?.expiration ?? Number.POSITIVE_INFINITY) - Date.now() / 1000;
  assert.ok(left <= 86_400 + 60, `${left}`);
});

/** A document that came with this header is asked for twice. @returns its entry in the cache */
async function cachedUnder(cacheControl: string) {
  const clientId = freshId();
  answerWith(documentOf(clientId), 200, { "cache-control": cacheControl });
  for (let count = 0; count < 2; count += 1) assert.equal((await ask(clientId)).status, 200);
  return (await stack.kv()).find(({ value }) => value.includes(clientId));
}

for (const header of [
  "no-store",
  "private, No-Cache",
  "max-age=0",
  "public, max-age=59",
  "max-age=600, no-store",
  "max-age=-1",
  "max-age=soon",
]) {
  test(`OA-17 / RFC 9111 §5.2.2: a document with Cache-Control: ${header} is not kept`, async () => {
    assert.deepEqual([await cachedUnder(header), fetched.length], [undefined, 2]);
  });
}

for (const [header, seconds] of [
  ["max-age=60", 60],
  ["public, Max-Age=600, must-revalidate", 600],
  ["max-age=31536000", 86_400],
  ["public", 86_400],
] as const) {
  test(`OA-17 / RFC 9111 §5.2.2: a document with Cache-Control: ${header} is kept for ${seconds} s`, async () => {
    const entry = await cachedUnder(header);
    const left = (entry?.expiration ?? 0) - Date.now() / 1000;
    assert.ok(left > seconds - 30 && left <= seconds + 1, `${left}`);
    assert.equal(fetched.length, 1);
  });
}

test("OA-17: without CACHE_KV every use fetches, and works", async (t) => {
  const small = await startStack({ hosts: { [ORIGIN]: documents.origin }, kvNamespaces: ["OAUTH_KV"] });
  t.after(() => small.dispose());
  const clientId = freshId();
  answerWith(documentOf(clientId));
  assertToolResult(await getEmails(small, (await signInWith(small, clientOf(clientId))).accessToken));
});

test("OA-17: a document lists its redirects to the letter; loopback differs in its port", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId, { redirect_uris: [REDIRECT, "http://127.0.0.1/callback"] }));
  await assertPage(await ask(clientId, `${REDIRECT}/`), 400);
  await assertPage(await ask(clientId, "https://evil.example/callback"), 400);
  assert.equal((await ask(clientId, "http://127.0.0.1:4567/callback")).status, 200);
});

test("OA-17: public clients only: a secret at /token is invalid_client, and the code lives", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId));
  const client = clientOf(clientId);
  const code = await obtainCode(stack, client);
  for (const method of ["client_secret_basic", "client_secret_post"] as const) {
    assertOAuthError(await redeem(stack, { ...client, method, clientSecret: "x" }, code), 401, "invalid_client");
  }
  assert.equal((await redeem(stack, client, code)).status, 200);
});

test("OA-17: a code of one document is not for another", async () => {
  const [first, second] = [freshId(), freshId()];
  answer = (request, response) => response.end(JSON.stringify(documentOf(`${ORIGIN}${request.url}`)));
  const code = await obtainCode(stack, clientOf(first));
  assertOAuthError(await redeem(stack, clientOf(second), code), 400, "invalid_grant");
});

test("row 4: a document client always shows a page, never a straight redirect", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId));
  const page = await ask(clientId);
  assert.equal(page.status, 200);
  assert.ok(Object.keys(readForm(await page.text())).length > 0);
});

const BAD_IDS: readonly (readonly [why: string, id: string])[] = [
  ["plain http", "http://client.example.com/client.json"],
  ["no path", "https://client.example.com"],
  ["the root path", "https://client.example.com/"],
  ["user information", "https://user@client.example.com/client.json"],
  ["user and password", "https://user:pw@client.example.com/client.json"],
  ["a port", "https://client.example.com:8443/client.json"],
  ["the default port, written out", "https://client.example.com:443/client.json"],
  ["a fragment", "https://client.example.com/client.json#x"],
  ["an empty fragment", "https://client.example.com/client.json#"],
  ["dot segments", "https://client.example.com/a/../client.json"],
  ["encoded dot segments", "https://client.example.com/a/%2e%2e/client.json"],
  ["a backslash", "https://client.example.com\\@evil.example/client.json"],
  ["capitals in the host", "https://CLIENT.example.com/client.json"],
  ["capitals in the scheme", "HTTPS://client.example.com/client.json"],
  ["IPv4 loopback", "https://127.0.0.1/client.json"],
  ["IPv4 in short form", "https://127.1/client.json"],
  ["IPv4 as a number", "https://2130706433/client.json"],
  ["IPv4 in hexadecimal", "https://0x7f000001/client.json"],
  ["IPv4 in octal", "https://0177.0.0.1/client.json"],
  ["IPv4 with a final dot", "https://127.0.0.1./client.json"],
  ["IPv4 in full-width digits", "https://１２７.0.0.1/client.json"],
  ["all interfaces", "https://0.0.0.0/client.json"],
  ["a private network", "https://10.0.0.1/client.json"],
  ["another private network", "https://192.168.1.1/client.json"],
  ["the metadata address", "https://169.254.169.254/latest/meta-data/"],
  ["the metadata name", "https://metadata.google.internal/computeMetadata/v1/"],
  ["IPv6 loopback", "https://[::1]/client.json"],
  ["IPv4 inside IPv6", "https://[::ffff:127.0.0.1]/client.json"],
  ["an IPv6 of the metadata service", "https://[fd00:ec2::254]/client.json"],
  ["a public IPv4", "https://93.184.216.34/client.json"],
  ["localhost", "https://localhost/client.json"],
  ["a name below localhost", "https://x.localhost/client.json"],
  ["localhost with a final dot", "https://localhost./client.json"],
  ["a bare name", "https://intranet/client.json"],
  ["file", "file:///etc/passwd"],
  ["data", "data:application/json,{}"],
  ["gopher", "gopher://client.example.com/x"],
  ["no authority", "https:/client.json"],
  ["three slashes", "https:///client.example.com/client.json"],
  ["a leading blank", " https://client.example.com/client.json"],
  ["a line break", "https://client.example.com/cli\nent.json"],
  ["a null character", "https://client.example.com/\u0000"],
  ["2,049 characters", `https://client.example.com/${"a".repeat(2049 - 27)}`],
];
for (const [why, id] of BAD_IDS) {
  test(`row 32 / OA-17: a client id with ${why} is a 400 page, and nothing is fetched`, async () => {
    answer = (_, response) => response.end(JSON.stringify(documentOf(id)));
    const before = called.length;
    await assertPage(await ask(id), 400);
    const token = await redeem(stack, clientOf(id), { code: "x", verifier: "v".repeat(43) });
    assert.ok([400, 401].includes(token.status), token.text);
    assert.deepEqual(called.slice(before), []);
    assert.deepEqual(stack.trespasses, []);
  });
}

test("row 32: our own address is no client document", async () => {
  const before = called.length;
  await assertPage(await ask(`${stack.url.replace("http:", "https:")}/.well-known/oauth-authorization-server`), 400);
  assert.deepEqual(called.slice(before), []);
});

test("OA-17: a long path of a real client fits", async () => {
  const clientId = `${ORIGIN}/${"a".repeat(300)}/client.json`;
  answerWith(documentOf(clientId));
  assert.equal((await ask(clientId)).status, 200);
});

const BAD_DOCUMENTS: readonly (readonly [why: string, body: (id: string) => unknown])[] = [
  ["names another client", (id) => documentOf(id, { client_id: `${id}x` })],
  ["names its client without the query", (id) => documentOf(id, { client_id: id.toUpperCase() })],
  ["names no client", (id) => documentOf(id, { client_id: undefined })],
  ["is a list", (id) => [documentOf(id)]],
  ["is null", () => "null"],
  ["is HTML", () => "<!doctype html>"],
  ["is cut off", (id) => JSON.stringify(documentOf(id)).slice(0, -5)],
  ["is empty", () => ""],
  ["is nested deeply", () => `${"[".repeat(2000)}${"]".repeat(2000)}`],
  ["wants a secret", (id) => documentOf(id, { token_endpoint_auth_method: "client_secret_basic" })],
  ["wants a key", (id) => documentOf(id, { token_endpoint_auth_method: "private_key_jwt" })],
  [
    "knows keys and secrets alone",
    (id) =>
      documentOf(id, {
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_methods_supported: ["private_key_jwt", "client_secret_basic"],
      }),
  ],
  ["has no name", (id) => documentOf(id, { client_name: undefined })],
  ["has an empty name", (id) => documentOf(id, { client_name: "" })],
  ["has a blank name", (id) => documentOf(id, { client_name: " \u200b" })],
  ["has no redirect", (id) => documentOf(id, { redirect_uris: [] })],
  ["has a javascript redirect", (id) => documentOf(id, { redirect_uris: [REDIRECT, "javascript:alert(1)"] })],
  [
    "has eleven redirects",
    (id) => documentOf(id, { redirect_uris: Array.from({ length: 11 }, (_, n) => `${REDIRECT}/${n}`) }),
  ],
  ["has a javascript website", (id) => documentOf(id, { client_uri: "javascript:alert(1)" })],
  ["has a name of 101 characters", (id) => documentOf(id, { client_name: "n".repeat(101) })],
];
for (const [why, body] of BAD_DOCUMENTS) {
  test(`OA-17: a document that ${why} is a 400 page`, async () => {
    const clientId = freshId();
    answerWith(body(clientId));
    await assertPage(await ask(clientId), 400);
  });
}

test("OA-17: a document without a method is one of a public client", async () => {
  const clientId = freshId();
  answerWith(documentOf(clientId, { token_endpoint_auth_method: undefined }));
  assertToolResult(await getEmails(stack, (await signInWith(stack, clientOf(clientId))).accessToken));
});

test("OA-17: a client that prefers a key and knows none as well is a public client, as ChatGPT is", async () => {
  const clientId = freshId();
  const token_endpoint_auth_methods_supported = ["none", "private_key_jwt"];
  answerWith(
    documentOf(clientId, { token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_methods_supported }),
  );
  assertToolResult(await getEmails(stack, (await signInWith(stack, clientOf(clientId))).accessToken));
});

for (const status of [201, 204, 301, 302, 303, 307, 308, 401, 403, 404, 500, 503]) {
  test(`row 33 / OA-17: an answer with ${status} is a 400 page, and no redirect is followed`, async () => {
    const clientId = freshId();
    answerWith(status === 204 ? "" : documentOf(clientId), status, {
      location: "https://169.254.169.254/latest/meta-data/",
    });
    const before = called.length;
    await assertPage(await ask(clientId), 400);
    assert.deepEqual(called.slice(before), [clientId]);
    assert.deepEqual(stack.trespasses, []);
  });
}

test("row 33: a document of 5 KB passes, a larger one is a 400 page", async () => {
  const padded = (clientId: string, bytes: number) => {
    const bare = JSON.stringify(documentOf(clientId, { x: "" }));
    return JSON.stringify(documentOf(clientId, { x: "p".repeat(bytes - bare.length) }));
  };
  const [fits, exceeds] = [freshId(), freshId()];
  answerWith(padded(fits, 5000));
  assert.equal((await ask(fits)).status, 200);
  answerWith(padded(exceeds, 5 * 1024 + 1));
  await assertPage(await ask(exceeds), 400);
});

test("row 33: a document that is much too large, with and without a length, is a 400 page", async () => {
  for (const isChunked of [false, true]) {
    const clientId = freshId();
    const text = JSON.stringify(documentOf(clientId, { x: "p".repeat(3_000_000) }));
    answer = (_, response) => {
      response.writeHead(200, isChunked ? {} : { "content-length": String(text.length) });
      response.end(text);
    };
    await assertPage(await ask(clientId), 400);
  }
});

test("row 33: a document that lies about its length is a 400 page", async () => {
  const clientId = freshId();
  answer = (_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": "4000" });
    response.write(JSON.stringify(documentOf(clientId)));
    response.destroy();
  };
  await assertPage(await ask(clientId), 400);
});

test("row 33: a document that never ends, and one that never begins, are 400 pages within 10 s or so", async () => {
  const [endless, silent] = [freshId(), freshId()];
  const timers: NodeJS.Timeout[] = [];
  answer = (request, response) => {
    if (`${ORIGIN}${request.url}` === silent) return;
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"client_id":"');
    timers.push(setInterval(() => response.write(" "), 500));
  };
  const startedMs = Date.now();
  const pages = await Promise.all([ask(endless), ask(silent)]);
  for (const timer of timers) clearInterval(timer);
  for (const page of pages) await assertPage(page, 400);
  assert.ok(Date.now() - startedMs < 14_000, `${Date.now() - startedMs} ms`);
});

test("row 33: a host that cannot be reached is a 400 page", async () => {
  const clientId = freshId();
  answer = (_, response) => response.destroy();
  await assertPage(await ask(clientId), 400);
});

test("D-21: nothing but documents, Entra and the gateway was called", async () => {
  const { host: entra } = new URL(stack.entra.origin);
  const { host: gateway } = new URL(stack.gateway.origin);
  const allowed = new Set([entra, gateway, "client.example.com"]);
  assert.deepEqual(
    stack.outbound.filter((host) => !allowed.has(host)),
    [],
  );
  assert.deepEqual(stack.trespasses, []);
});
