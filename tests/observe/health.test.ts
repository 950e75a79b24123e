import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../src/config.ts";
import { err, ok } from "../../src/core/result.ts";
import { type Circumstances, type DeepChecks, reportHealth } from "../../src/observe/health.ts";

const SERVICE = { name: "microsoft-365-mcp", version: "1.2.3" };
const GOOD = ok({ GRAPH_EGRESS_MODE: "ai-run" } as Config);
const WRONG = err({ keys: ["MICROSOFT_CLIENT_SECRET"] });
const WELL = { status: "ok", healthy: true } as const;
const FAILED = { status: "failed", healthy: false } as const;
const ALL_WELL: DeepChecks = { oauth: WELL, discovery: WELL, graphApi: WELL, durableObjects: WELL, kvStorage: WELL };

function at(config: Circumstances["config"], env: Circumstances["env"] = { AI: {} }): Circumstances {
  return { config, env, clock: () => 1_800_000_000_000 };
}

test("CF-01: a wrong configuration is unhealthy and its names are told", () => {
  const { healthy, checks } = reportHealth(at(WRONG), SERVICE);
  assert.deepEqual([healthy, checks.configuration], [false, { healthy: false, keys: ["MICROSOFT_CLIENT_SECRET"] }]);
});

test("D-21: without the AI binding there is no way to Graph, so it is unhealthy and says which binding", () => {
  const { healthy, checks } = reportHealth(at(GOOD, {}), SERVICE);
  assert.deepEqual([healthy, checks.egress], [false, { healthy: false, mode: "ai-run", missing: "AI" }]);
});

test("HL-01: a good configuration with its gateway is healthy and dated", () => {
  const { status, healthy, timestamp, version } = reportHealth(at(GOOD), SERVICE);
  assert.deepEqual([status, healthy, timestamp, version], ["healthy", true, "2027-01-15T08:00:00.000Z", "1.2.3"]);
});

test("HL-01: access is configured where a team is", () => {
  const config = ok({ GRAPH_EGRESS_MODE: "ai-run", CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com" } as Config);
  assert.equal(reportHealth(at(config), SERVICE).checks.access, "configured");
});

test("HL-01: nothing is said of what was not asked", () => {
  assert.deepEqual(Object.keys(reportHealth(at(GOOD), SERVICE).checks), ["configuration", "access", "egress"]);
});

test("HL-02: what was asked stands beside the rest", () => {
  const { healthy, checks } = reportHealth(at(GOOD), SERVICE, ALL_WELL);
  const { configuration: _, access, egress, ...deep } = checks;
  assert.deepEqual([healthy, access, egress.mode, deep], [true, "not configured", "ai-run", ALL_WELL]);
});

for (const name of Object.keys(ALL_WELL)) {
  test(`HL-02: ${name} alone makes the whole unhealthy`, () => {
    const { status, healthy } = reportHealth(at(GOOD), SERVICE, { ...ALL_WELL, [name]: FAILED });
    assert.deepEqual([status, healthy], ["unhealthy", false]);
  });
}
