import assert from "node:assert/strict";
import { test } from "node:test";
import { end, factsOf } from "../../src/agent/audit.ts";
import type { AgentContext } from "../../src/agent/context.ts";
import { epochSeconds } from "../../src/core/time.ts";

const AUTHORIZATION = {
  clientId: "c1",
  resource: "https://mcp.contoso.example/mcp",
  scopes: [],
  person: { tid: "t1", oid: "o1", name: "Ada", email: "ada@contoso.example" },
  accessIdentity: null,
  createdAt: epochSeconds(0),
  expiresAt: epochSeconds(0),
};

test("LG-07: every line about a grant names the program behind a private scheme as the approval page does", () => {
  for (const [redirectUri, host] of [
    ["https://app.example.com/cb", "app.example.com"],
    ["cursor://anysphere.cursor-deeplink/cb", "cursor://"],
    ["com.example.app:/cb", "com.example.app://"],
  ] as const) {
    assert.equal(factsOf({ ...AUTHORIZATION, redirectUri }).metadata.redirectHost, host);
  }
});

test("LG-07: an end that could not be stored is not written down as one", () => {
  const now = epochSeconds(0);
  const authorization = { ...AUTHORIZATION, redirectUri: "https://app.example.com/cb" };
  const code = { hash: "", challenge: "", expiresAt: now, failures: 0 };
  const lines: unknown[] = [];
  const context = {
    store: {
      grant: () => ({ state: "coded", formExpiresAt: now, authorization, code }),
      commit: () => {
        throw new Error("storage");
      },
    },
    log: (line: unknown) => lines.push(line),
  } as unknown as AgentContext;
  assert.throws(() => end("revoked", context), /storage/);
  assert.deepEqual(lines, []);
});
