import assert from "node:assert/strict";
import { type Config, readConfig } from "../src/config.ts";

export const KEY_ONE = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
export const KEY_TWO = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
export const KEY_THREE = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/** The least that the Worker runs with; nothing in it is real. */
export const ENVIRONMENT = {
  MCP_OBJECT: {},
  OAUTH_KV: {},
  MICROSOFT_CLIENT_ID: "11111111-2222-4333-8444-555555555555",
  MICROSOFT_CLIENT_SECRET: "Abc8Q~an.invented-client_secret",
  MICROSOFT_TENANT_ID: "7c1f0f5e-3c51-4a43-9d8e-5a1d1f0c2b77",
  ENCRYPTION_KEY: KEY_ONE,
  COOKIE_ENCRYPTION_KEY: KEY_TWO,
  COOKIE_SECRET: "Kq3vT8zL1mX5pW9rB2nD6sF0hJ4cY7uG",
};

export function testConfig(changes: Readonly<Record<string, string>> = {}): Config {
  const config = readConfig({ ...ENVIRONMENT, ...changes });
  assert.ok(config.ok, JSON.stringify(config));
  return config.value;
}
