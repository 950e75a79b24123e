import assert from "node:assert/strict";
import { test } from "node:test";
import { readBounded } from "../../src/core/body.ts";

/** A body in pieces that says when it was given up. */
function body(...lengths: readonly number[]) {
  const left = [...lengths];
  const seen = { isCancelled: false, pulled: 0 };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const length = left.shift();
        seen.pulled += 1;
        if (length === undefined) controller.close();
        else controller.enqueue(new Uint8Array(length).fill(seen.pulled));
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

test("a body of one byte over the bound is refused", async () => {
  assert.deepEqual(await readBounded(body(4, 5).stream, 8), { ok: false, error: "body_too_large" });
});

test("a body over the bound is not read to its end", async () => {
  const { stream, seen } = body(5, 5, 5, 5, 5);
  await readBounded(stream, 8);
  assert.deepEqual(seen, { isCancelled: true, pulled: 2 });
});

test("a body of exactly the bound is read", async () => {
  const read = await readBounded(body(4, 4).stream, 8);
  assert.deepEqual(read.ok && [...read.value], [1, 1, 1, 1, 2, 2, 2, 2]);
});

test("no body is no bytes", async () =>
  assert.deepEqual(await readBounded(null, 8), { ok: true, value: new Uint8Array() }));
