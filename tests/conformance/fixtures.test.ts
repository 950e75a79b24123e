// The official suite against our transport and dispatch over its own fixtures.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bundleWorker } from "../../fixtures/bundle.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { freePort } from "../../fixtures/workerd.ts";
import { registerClient } from "../support/oauth-client.ts";
import { CLIENT_DOCUMENTS, CODE_GRANT, METADATA, runAuthorization, runSuite } from "./suite.ts";

let stack: Stack;
before(async () => {
  stack = await startStack({ bundle: (await bundleWorker("tests/conformance/worker.ts")).text });
});
after(() => stack.dispose());

/** How many checks pass at least; a suite that stopped testing would pass as well. */
const PASSES = { "2026-07-28": 133, "2025-11-25": 57 } as const;

for (const [revision, passes] of Object.entries(PASSES)) {
  test(`MCP ${revision}: everything required passes but what the file explains`, async () => {
    const expected = `tests/conformance/expected-fixtures-${revision}.yml`;
    const run = await runSuite(`${stack.url}/mcp`, ["--requirements", revision, "--expected-failures", expected]);
    assert.equal(run.exitCode, 0, run.output);
    assert.ok((run.checks.SUCCESS?.length ?? 0) >= passes, `only ${run.checks.SUCCESS?.length} checks passed`);
    // What every answer must be whatever the scenario.
    assert.deepEqual(run.checks.FAILURE?.filter((check) => check.includes("wire-schema")) ?? [], []);
  });
}

test("EP-18: header validation passes, required or not", async () => {
  const run = await runSuite(`${stack.url}/mcp`, [
    "--scenario",
    "http-header-validation",
    "--spec-version",
    "2026-07-28",
  ]);
  assert.equal(run.exitCode, 0, run.output);
  assert.ok((run.checks.SUCCESS?.length ?? 0) >= 14, run.output);
});

test("OA-14: a code grant passes with client_secret_basic and a resource", async () => {
  const redirectUris = [`http://127.0.0.1:${await freePort()}/callback`];
  const client = await registerClient(stack, { redirectUris, method: "client_secret_basic" });
  const run = await runAuthorization(stack.url, client, ["--resource", `${stack.url}/mcp`]);
  assert.deepEqual(run.complaints, []);
  assert.deepEqual(run.checks, { SUCCESS: [CODE_GRANT, METADATA, CLIENT_DOCUMENTS] }, run.output);
  assert.equal(run.exitCode, 0, run.output);
});
