import assert from "node:assert/strict";
import { test } from "node:test";
import { addCorsHeaders, isAllowedOrigin, preflight } from "../../src/http/cors.ts";

const SERVING = new URL("https://mcp.example.com/");
const LOCAL = new URL("http://127.0.0.1:8787/");
const LIST = ["https://app.example.com", "https://other.example.com:8443"];

const REFUSED: readonly (readonly [what: string, origin: string])[] = [
  ["null", "null"],
  ["nothing", ""],
  ["a subdomain of an allowed one", "https://x.app.example.com"],
  ["the parent of an allowed one", "https://example.com"],
  ["an allowed one as a subdomain", "https://app.example.com.evil.example"],
  ["an allowed one as a suffix", "https://evil-app.example.com"],
  ["an allowed one as user name", "https://app.example.com@evil.example"],
  ["plain http of an allowed one", "http://app.example.com"],
  ["another port", "https://app.example.com:8443"],
  ["another case", "https://APP.example.com"],
  ["a slash at the end", "https://app.example.com/"],
  ["a path", "https://app.example.com/x"],
  ["two origins", "https://app.example.com https://evil.example"],
  ["loopback, while we are not", "http://localhost:3000"],
  ["our own origin with a slash", "https://mcp.example.com/"],
  ["our own origin with a path", "https://mcp.example.com/sse"],
  ["our own origin with the usual port", "https://mcp.example.com:443"],
  ["our own host in plain http", "http://mcp.example.com"],
  ["an extension", "chrome-extension://abcdefghijklmnop"],
  ["a file", "file://"],
  ["a wildcard", "*"],
  ["no URL at all", "app.example.com"],
];

for (const [what, origin] of REFUSED) {
  test(`D-24: ${what} is refused`, () => assert.equal(isAllowedOrigin(origin, SERVING, LIST), false));
}

test("CS-04: null is refused though the list names it", () => {
  assert.equal(isAllowedOrigin("null", SERVING, ["null"]), false);
});

test("D-24: null is refused on loopback too", () => assert.equal(isAllowedOrigin("null", LOCAL, []), false));

test("D-24: on loopback a name that only begins like loopback is refused", () => {
  assert.equal(isAllowedOrigin("http://localhost.evil.example", LOCAL, []), false);
});

test("D-24: an origin of the list passes", () => {
  assert.equal(isAllowedOrigin("https://other.example.com:8443", SERVING, LIST), true);
});

test("D-24: our own origin passes without a list", () => {
  assert.equal(isAllowedOrigin("https://mcp.example.com", SERVING, []), true);
});

for (const origin of ["http://localhost:3000", "http://127.0.0.1:6274", "http://[::1]", "https://localhost:3000"]) {
  test(`D-24: on loopback ${origin} passes`, () => assert.equal(isAllowedOrigin(origin, LOCAL, []), true));
}

function fields(...call: Parameters<typeof addCorsHeaders> extends [Headers, ...infer Rest] ? Rest : never) {
  const headers = new Headers();
  addCorsHeaders(headers, ...call);
  return headers;
}

test("CS-01: without a policy no field is sent, whoever asks", () => {
  assert.deepEqual([...fields("none", "https://app.example.com")], []);
});

test("CS-01: a foreign origin is not named", () => {
  const headers = fields("allowed-origins", undefined);
  assert.equal(headers.get("Access-Control-Allow-Origin"), null);
});

test("CS-01: also an answer to a foreign origin varies by it", () => {
  assert.equal(fields("allowed-origins", undefined).get("Vary"), "Origin");
});

test("CS-01: an allowed origin is echoed, not a wildcard", () => {
  const headers = fields("allowed-origins", "https://app.example.com");
  assert.equal(headers.get("Access-Control-Allow-Origin"), "https://app.example.com");
});

test("CS-01: a public document is for everybody", () => {
  assert.equal(fields("public", undefined).get("Access-Control-Allow-Origin"), "*");
});

for (const policy of ["none", "public", "allowed-origins"] as const) {
  test(`CS-01: credentials are never allowed, policy ${policy}`, () => {
    assert.equal(fields(policy, "https://app.example.com").has("Access-Control-Allow-Credentials"), false);
  });
}

test("CS-01: a client in a browser can read what it needs to sign in", () => {
  const exposed = fields("allowed-origins", "https://app.example.com").get("Access-Control-Expose-Headers");
  assert.deepEqual(exposed?.split(", "), [
    "WWW-Authenticate",
    "Mcp-Session-Id",
    "MCP-Protocol-Version",
    "X-Request-Id",
    "Retry-After",
    "RateLimit",
  ]);
});

test("CS-01: Vary keeps what was there", () => {
  const headers = new Headers({ Vary: "Accept" });
  addCorsHeaders(headers, "allowed-origins", undefined);
  assert.equal(headers.get("Vary"), "Accept, Origin");
});

test("CS-01: a preflight is 204 and names methods and request fields", () => {
  const { status, headers } = preflight();
  assert.equal(status, 204);
  assert.equal(headers.get("Access-Control-Allow-Methods"), "GET, POST, DELETE, OPTIONS");
  assert.equal(
    headers.get("Access-Control-Allow-Headers"),
    "Content-Type, Accept, Authorization, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Last-Event-ID",
  );
});
