import assert from "node:assert/strict";
import { test } from "node:test";
import { isOurResource } from "../../src/oauth/resource.ts";

const ORIGIN = "https://mcp.example.com";
const LOCAL = "http://127.0.0.1:8787";

const FOREIGN: readonly (readonly [resource: string, origin: string])[] = [
  ["", ORIGIN],
  ["mcp.example.com", ORIGIN],
  ["/sse", ORIGIN],
  ["https://other.example.com", ORIGIN],
  ["https://mcp.example.com.evil.example", ORIGIN],
  ["https://mcp.example.com@evil.example", ORIGIN],
  ["https://user@mcp.example.com", ORIGIN],
  ["http://mcp.example.com", ORIGIN],
  ["https://mcp.example.com:8443", ORIGIN],
  ["https://mcp.example.com/other", ORIGIN],
  ["https://mcp.example.com/sse/x", ORIGIN],
  ["https://mcp.example.com/ssex", ORIGIN],
  ["https://mcp.example.com/SSE", ORIGIN],
  ["https://mcp.example.com/sse?a=1", ORIGIN],
  ["https://mcp.example.com/sse?", ORIGIN],
  ["https://mcp.example.com/sse#a", ORIGIN],
  ["https://mcp.example.com/sse#", ORIGIN],
  ["https://graph.microsoft.com", ORIGIN],
  ["http://localhost:8787", ORIGIN],
  ["http://localhost:8788", LOCAL],
  ["https://localhost:8787", LOCAL],
  ["http://localhost.evil.example:8787", LOCAL],
];

for (const [resource, origin] of FOREIGN) {
  test(`AU-06, RFC 8707 §2: "${resource}" does not name ${origin}`, () =>
    assert.equal(isOurResource(resource, origin), false));
}

for (const path of ["", "/", "/sse", "/mcp"]) {
  test(`AU-06: the origin with "${path}" names this server`, () =>
    assert.equal(isOurResource(`${ORIGIN}${path}`, ORIGIN), true));
  for (const host of ["localhost", "127.0.0.1", "[::1]"]) {
    test(`AU-06: on loopback ${host} with the same port and "${path}" names this server`, () => {
      assert.equal(isOurResource(`http://${host}:8787${path}`, LOCAL), true);
    });
  }
}

test("RFC 3986 §6.2: the host in capitals and the usual port name the same server", () => {
  assert.equal(isOurResource("HTTPS://MCP.example.com:443/sse", ORIGIN), true);
});
