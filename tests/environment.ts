import assert from "node:assert/strict";
import { type Config, readConfig } from "../src/config.ts";

export const KEY_ONE = "6f647726f6835eec054693225389abb52efd892b8d3fbb3d6a20c8ef4925ff74";
export const KEY_TWO = "1831ee140bc7a37e31c6cc1e68dee55ac6153fc0137d1e9339dd1009966befa4";
export const KEY_THREE = "d08c21d5830577e9c470387dd696f74e164a6b47f23418aedf36d4d99974275a";

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
