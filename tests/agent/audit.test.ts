import assert from "node:assert/strict";
import { test } from "node:test";
import { factsOf } from "../../src/agent/audit.ts";
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
