// The official suite against the product, signed in by a proxy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { registerClient, signInWith } from "../support/oauth-client.ts";
import { runSuite, startTokenProxy } from "./suite.ts";

let stack: Stack;
let proxy: Awaited<ReturnType<typeof startTokenProxy>>;
before(async () => {
  stack = await startStack();
  const { accessToken } = await signInWith(stack, await registerClient(stack));
  proxy = await startTokenProxy(stack.url, accessToken);
});
after(async () => {
  await proxy.close();
  await stack.dispose();
});

/** Each path once, and how many checks pass at least: a suite that stopped testing would pass as well. */
const RUNS = [
  ["2026-07-28", "/mcp", 91],
  ["2025-11-25", "/sse", 37],
] as const;

for (const [revision, path, passes] of RUNS) {
  test(`MCP ${revision}: ${path} passes every scenario that needs none of the suite's fixtures`, async () => {
    const expected = `tests/conformance/expected-product-${revision}.yml`;
    const run = await runSuite(`${proxy.url}${path}`, ["--requirements", revision, "--expected-failures", expected]);
    assert.equal(run.exitCode, 0, run.output);
    assert.ok((run.checks.SUCCESS?.length ?? 0) >= passes, `only ${run.checks.SUCCESS?.length} checks passed`);
    assert.deepEqual(run.checks.FAILURE?.filter((check) => check.includes("wire-schema")) ?? [], []);
  });
}

test("EP-18: header validation passes with the product's first tool called without arguments", async () => {
  const args = ["--scenario", "http-header-validation", "--spec-version", "2026-07-28"];
  const run = await runSuite(`${proxy.url}/mcp`, args);
  assert.equal(run.exitCode, 0, run.output);
  assert.ok((run.checks.SUCCESS?.length ?? 0) >= 14, run.output);
});

test("the authorization server's metadata passes, signed in or not", async () => {
  const run = await runSuite(stack.url, [], "authorization");
  assert.equal(run.exitCode, 0, run.output);
});
