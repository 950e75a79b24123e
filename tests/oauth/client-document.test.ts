// OA-17: which client ids are fetched at all. What is refused here never becomes a request.
import assert from "node:assert/strict";
import { test } from "node:test";
import { findDocumentClient, isClientDocumentUrl } from "../../src/oauth/client-document.ts";

const REFUSED: readonly (readonly [what: string, clientId: string])[] = [
  ["an id of ours", "0a1b2c3d4e5f60718293a4b5c6d7e8f9"],
  ["plain http", "http://app.example.com/client.json"],
  ["no path", "https://app.example.com"],
  ["the root path", "https://app.example.com/"],
  ["a user", "https://user@app.example.com/client.json"],
  ["a user and a password", "https://user:secret@app.example.com/client.json"],
  ["an empty user", "https://@app.example.com/client.json"],
  ["a port", "https://app.example.com:8443/client.json"],
  ["the usual port", "https://app.example.com:443/client.json"],
  ["a fragment", "https://app.example.com/client.json#x"],
  ["an empty fragment", "https://app.example.com/client.json#"],
  ["IPv4 loopback", "https://127.0.0.1/client.json"],
  ["a private IPv4 address", "https://10.0.0.1/client.json"],
  ["the metadata address of clouds", "https://169.254.169.254/latest/meta-data"],
  ["a decimal IPv4 address", "https://2130706433/client.json"],
  ["a short IPv4 address", "https://127.1/client.json"],
  ["a hexadecimal IPv4 address", "https://0x7f000001/client.json"],
  ["an octal IPv4 address", "https://0177.0.0.1/client.json"],
  ["IPv6 loopback", "https://[::1]/client.json"],
  ["IPv4 in IPv6", "https://[::ffff:127.0.0.1]/client.json"],
  ["localhost", "https://localhost/client.json"],
  ["a name below localhost", "https://a.localhost/client.json"],
  ["a bare name", "https://intranet/client.json"],
  ["an internal name", "https://metadata.google.internal/computeMetadata"],
  ["a local name", "https://printer.local/client.json"],
  ["a name of the home network", "https://router.home.arpa/client.json"],
  ["a name with a dot after it", "https://app.example.com./client.json"],
  ["a name in capitals", "https://APP.example.com/client.json"],
  ["dots in the path", "https://app.example.com/x/../client.json"],
  ["encoded dots in the path", "https://app.example.com/%2e%2e/client.json"],
  ["a backslash", "https://app.example.com\\client.json"],
  ["a tab in the scheme", "ht\ttps://app.example.com/client.json"],
  ["a blank before it", " https://app.example.com/client.json"],
  ["a line break after it", "https://app.example.com/client.json\n"],
  ["letters outside ASCII", "https://äpp.example.com/client.json"],
  ["an encoded host", "https://%6cocalhost/client.json"],
  ["another scheme", "ftp://app.example.com/client.json"],
  ["data", "data:application/json,{}"],
  ["2,049 characters", `https://app.example.com/${"a".repeat(2025)}`],
  ["the static id", "rWJu8WV42zC5pfGT"],
];

for (const [what, clientId] of REFUSED) {
  test(`OA-17: a client id with ${what} is no document's address`, () =>
    assert.equal(isClientDocumentUrl(clientId), false));
}

for (const clientId of [
  "https://app.example.com/client.json",
  "https://app.example.com/oauth/client-metadata?v=1",
  "https://xn--pp-via.example.com/client.json",
  "https://a.b.c.example.co/client",
]) {
  test(`OA-17: ${clientId} is a document's address`, () => assert.equal(isClientDocumentUrl(clientId), true));
}

const ID = "https://app.example.com/client.json";

/** A cache that holds a document, or fails. */
const cacheOf = (document: object, put: () => Promise<void> = async () => {}) =>
  ({ get: async () => JSON.stringify(document), put }) as unknown as KVNamespace;

for (const method of [undefined, null, "", "none"]) {
  test(`OA-17: a document whose token_endpoint_auth_method is ${JSON.stringify(method)} is a public client's`, async () => {
    const document = {
      client_id: ID,
      client_name: "App",
      redirect_uris: ["https://app.example.com/cb"],
      token_endpoint_auth_method: method,
    };
    assert.equal((await findDocumentClient(ID, cacheOf(document)))?.tokenEndpointAuthMethod, "none");
  });
}

test("OA-17: a cache that fails is none: the document is asked for, and used though it cannot be kept", async (t) => {
  const document = { client_id: ID, client_name: "App", redirect_uris: ["https://app.example.com/cb"] };
  t.mock.method(globalThis, "fetch", async () => Response.json(document));
  const down = () => Promise.reject(new Error("KV is down"));
  const cache = { get: down, put: down } as unknown as KVNamespace;
  assert.equal((await findDocumentClient(ID, cache))?.clientName, "App");
});
