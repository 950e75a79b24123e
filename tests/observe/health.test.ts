import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../src/config.ts";
import { err, ok } from "../../src/core/result.ts";
import { shallowHealth } from "../../src/observe/health.ts";

const SERVICE = { name: "microsoft-365-mcp", version: "1.2.3" };
const GOOD = ok({ GRAPH_EGRESS_MODE: "ai-run" } as Config);
const WRONG = err({ keys: ["MICROSOFT_CLIENT_SECRET"] });

test("CF-01: a wrong configuration is unhealthy and its names are told", () => {
  const { healthy, checks } = shallowHealth(WRONG, true, SERVICE, 0);
  assert.deepEqual([healthy, checks.configuration], [false, { healthy: false, keys: ["MICROSOFT_CLIENT_SECRET"] }]);
});

test("D-21: without the AI binding there is no way to Graph, so it is unhealthy and says which binding", () => {
  const { healthy, checks } = shallowHealth(GOOD, false, SERVICE, 0);
  assert.deepEqual([healthy, checks.egress], [false, { healthy: false, mode: "ai-run", missing: "AI" }]);
});

test("a good configuration with its gateway is healthy and dated", () => {
  const { status, healthy, timestamp, version } = shallowHealth(GOOD, true, SERVICE, 1_800_000_000_000);
  assert.deepEqual([status, healthy, timestamp, version], ["healthy", true, "2027-01-15T08:00:00.000Z", "1.2.3"]);
});
