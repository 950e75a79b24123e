import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds, earlier, epochSeconds, later } from "../../src/core/time.ts";

test("a second that has begun counts as itself, not as the next", () => assert.equal(epochSeconds(1999), 1));

test("seconds are added", () => assert.equal(addSeconds(epochSeconds(1000), 60), 61));

test("earlier and later choose", () => {
  const [one, two] = [epochSeconds(1000), epochSeconds(2000)];
  assert.deepEqual([earlier(two, one), later(one, two)], [one, two]);
});
