import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoopback } from "../../src/core/loopback.ts";
import { isSameOrigin, readUrl } from "../../src/http/origin.ts";

const DIFFERENT: readonly (readonly [left: string, right: string])[] = [
  ["https://mcp.example.com", "http://mcp.example.com"],
  ["https://mcp.example.com", "https://mcp.example.com:8443"],
  ["https://mcp.example.com", "https://mcp.example.com.evil.example"],
  ["https://mcp.example.com", "https://evil-mcp.example.com"],
  ["https://mcp.example.com", "https://example.com"],
  ["http://localhost:8787", "http://localhost:8788"],
  ["http://localhost:8787", "https://localhost:8787"],
  ["http://localhost:8787", "http://localhost.evil.example:8787"],
  ["http://127.0.0.1:8787", "http://127.0.0.2:8787"],
];

for (const [left, right] of DIFFERENT) {
  test(`D-09: ${left} is not ${right}`, () => assert.equal(isSameOrigin(new URL(left), new URL(right)), false));
}

const SAME: readonly (readonly [left: string, right: string])[] = [
  ["https://mcp.example.com/sse", "https://MCP.example.com:443/token?a"],
  ["http://localhost:8787", "http://127.0.0.1:8787"],
  ["http://[::1]:8787", "http://localhost:8787"],
];

for (const [left, right] of SAME) {
  test(`D-09: ${left} is where ${right} is`, () => assert.equal(isSameOrigin(new URL(left), new URL(right)), true));
}

for (const host of ["localhost.", "127.0.0.1.nip.io", "0.0.0.0", "::1", "127.0.0.2", "LOCALHOST", "my-localhost", ""]) {
  test(`RFC 8252 §7.3: "${host}" is not loopback`, () => assert.equal(isLoopback(host), false));
}

for (const text of ["", "/sse", "//host/path", "https://", "not a url"]) {
  test(`"${text}" is no URL`, () => assert.equal(readUrl(text), undefined));
}
