import assert from "node:assert/strict";
import { test } from "node:test";
import { detectClientType } from "../../src/observe/client-type.ts";

const CASES: readonly (readonly [headers: Record<string, string>, expected: string])[] = [
  [{}, "unknown"],
  [{ "User-Agent": "curl/8.5.0" }, "unknown"],
  [{ "User-Agent": "Mozilla/5.0" }, "unknown"],
  [{ Origin: "https://evil.example/?claude.ai" }, "unknown"],
  [{ Origin: "https://claude.ai.evil.example" }, "unknown"],
  [{ "User-Agent": "mcp-remote/0.15.1" }, "mcp-remote"],
  [{ "User-Agent": "node MCP-Remote" }, "mcp-remote"],
  [{ "User-Agent": "Claude-User" }, "ai-platform/web-connector"],
  [{ "User-Agent": "openai-mcp/1.0" }, "ai-platform/web-connector"],
  [{ Origin: "https://claude.ai" }, "ai-platform/web-connector"],
  [{ Origin: "https://chatgpt.com" }, "ai-platform/web-connector"],
  [{ Upgrade: "websocket" }, "websocket-client"],
  [{ Upgrade: "WebSocket", "User-Agent": "mcp-remote" }, "websocket-client"],
];

for (const [headers, expected] of CASES) {
  test(`EP-12: ${JSON.stringify(headers)} is ${expected}`, () => {
    assert.equal(detectClientType(new Headers(headers)), expected);
  });
}
