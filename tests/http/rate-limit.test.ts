import assert from "node:assert/strict";
import { test } from "node:test";
import { addressPrefix, isWithinLimit, quotaHeaders, refusalHeaders } from "../../src/http/rate-limit.ts";

const key = await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, [
  "sign",
]);

/** What the limiter is asked about a request with these headers. */
async function keyFor(headers: Record<string, string>): Promise<string> {
  const keys: string[] = [];
  const limiter = {
    async limit(options: { readonly key: string }) {
      keys.push(options.key);
      return { success: true };
    },
  };
  await isWithinLimit(limiter, new Headers(headers), key, false);
  return keys.join();
}

const BROKEN = { limit: () => Promise.reject(new Error("limiter")) };

test("RL-01: over the limit is over", async () => {
  const limiter = { limit: async () => ({ success: false }) };
  assert.equal(await isWithinLimit(limiter, new Headers(), key, true), false);
});

for (const whenBroken of [true, false]) {
  test(`RL-01: a limiter that fails is ${whenBroken ? "open" : "closed"} where that was asked`, async () => {
    assert.equal(await isWithinLimit(BROKEN, new Headers(), key, whenBroken), whenBroken);
  });
}

test("RL-01: no limiter ever learns an address", async () => {
  assert.doesNotMatch(await keyFor({ "CF-Connecting-IP": "203.0.113.7" }), /203|113/);
});

test("RL-01: forwarding headers never count", async () => {
  const address = { "CF-Connecting-IP": "203.0.113.7" };
  const forged = {
    ...address,
    "X-Forwarded-For": "198.51.100.1",
    Forwarded: "for=198.51.100.1",
    "X-Real-IP": "198.51.100.1",
  };
  assert.equal(await keyFor(forged), await keyFor(address));
});

test("RL-01: two addresses are counted apart", async () => {
  assert.notEqual(
    await keyFor({ "CF-Connecting-IP": "203.0.113.7" }),
    await keyFor({ "CF-Connecting-IP": "203.0.113.8" }),
  );
});

const SAME_HOST: readonly (readonly [left: string, right: string])[] = [
  ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
  ["2001:db8:1:2::1", "2001:0DB8:0001:0002::9"],
  ["2001:db8::1", "2001:db8:0:0:5::1"],
  ["::1", "0:0:0:0:0:0:0:2"],
];

for (const [left, right] of SAME_HOST) {
  test(`RL-01: ${left} and ${right} are one /64`, () => assert.equal(addressPrefix(left), addressPrefix(right)));
}

for (const [left, right] of [
  ["2001:db8:1:2::1", "2001:db8:1:3::1"],
  ["2001:db8::1", "2001:db8:0:1::1"],
  ["203.0.113.7", "203.0.113.8"],
] as const) {
  test(`RL-01: ${left} and ${right} are counted apart`, () =>
    assert.notEqual(addressPrefix(left), addressPrefix(right)));
}

test("RL-01: a refusal says whose limit it was and when to try again", () => {
  const spent = { policy: "address", limit: 30, remaining: 0, resetSeconds: 60 } as const;
  const { "Retry-After": retryAfter, RateLimit, "RateLimit-Policy": policy } = refusalHeaders(spent);
  assert.deepEqual([retryAfter, RateLimit, policy], ["60", '"address";r=0;t=60', '"address";q=30;w=60']);
});

test("RL-01: an answer says what is left of its grant's minute, and not to wait", () => {
  const headers = quotaHeaders({ limit: 300, remaining: 299, resetSeconds: 42 });
  assert.deepEqual(headers, { "RateLimit-Policy": '"grant";q=300;w=60', RateLimit: '"grant";r=299;t=42' });
});

test("RL-01: an address with too many groups is one like any other", () => {
  assert.equal(addressPrefix("1:2:3:4:5:6:7:8:9:10::"), "1:2:3:4");
});
