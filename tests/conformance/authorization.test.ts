// The two authorization-server scenarios of the official suite, against the shipped bundle and the simulated Entra.
// The fixture Worker shows the code grant with a secret; see fixtures.test.ts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { freePort } from "../../fixtures/workerd.ts";
import { registerClient } from "../support/oauth-client.ts";
import { CLIENT_DOCUMENTS, CODE_GRANT, METADATA, runAuthorization } from "./suite.ts";

let stack: Stack;
let redirectUris: readonly string[];
before(async () => {
  stack = await startStack();
  redirectUris = [`http://127.0.0.1:${await freePort()}/callback`];
});
after(() => stack.dispose());

/** Both scenarios exist from 2025-03-26 on; that metadata offers client metadata documents is asked from 2025-11-25 on. */
const REVISIONS = [
  ["2025-03-26", [CODE_GRANT, METADATA]],
  ["2025-06-18", [CODE_GRANT, METADATA]],
  ["2025-11-25", [CODE_GRANT, METADATA, CLIENT_DOCUMENTS]],
  ["2026-07-28", [CODE_GRANT, METADATA, CLIENT_DOCUMENTS]],
] as const;

for (const [revision, checks] of REVISIONS) {
  test(`MCP ${revision}: the authorization server's metadata and a code grant pass, without a warning`, async () => {
    const run = await runAuthorization(stack.url, await registerClient(stack, { redirectUris }), [
      "--spec-version",
      revision,
    ]);
    assert.deepEqual(run.complaints, []);
    assert.deepEqual(run.checks, { SUCCESS: checks }, run.output);
    assert.equal(run.exitCode, 0, run.output);
  });
}

// The suite authenticates as `none` wherever the metadata lists that, whatever secret it was given.
test("OA-14: a client that has a secret gets no token without it", async () => {
  const client = await registerClient(stack, { redirectUris, method: "client_secret_basic" });
  const run = await runAuthorization(stack.url, client, []);
  assert.deepEqual(run.complaints, [`${CODE_GRANT}: Invalid status code: 401`]);
  assert.deepEqual(run.checks, { FAILURE: [CODE_GRANT], SUCCESS: [METADATA, CLIENT_DOCUMENTS] }, run.output);
  assert.equal(run.exitCode, 1, run.output);
});
