import assert from "node:assert/strict";
import { test } from "node:test";
import { readBody, readJson } from "../../src/core/body.ts";

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
  assert.deepEqual(await readBody(new Response(body(4, 5).stream), 8), { ok: false, error: "body_too_large" });
});

test("a body over the bound is not read to its end", async () => {
  const { stream, seen } = body(5, 5, 5, 5, 5);
  await readBody(new Response(stream), 8);
  assert.deepEqual(seen, { isCancelled: true, pulled: 2 });
});

test("a body of exactly the bound is read", async () => {
  const read = await readBody(new Response(body(4, 4).stream), 8);
  assert.deepEqual(read.ok && [...read.value], [1, 1, 1, 1, 2, 2, 2, 2]);
});

test("no body is no bytes", async () =>
  assert.deepEqual(await readBody(new Response(null), 8), { ok: true, value: new Uint8Array() }));

/** A message with a body of five bytes. */
function message(headers: Record<string, string> = {}, content: BodyInit = new Uint8Array(5)) {
  return new Response(content, { headers });
}

for (const [what, headers] of [
  ["announced", { "Content-Length": "5" }],
  ["unannounced", {}],
  ["announced as nonsense", { "Content-Length": "five" }],
  ["encoded", { "Content-Length": "5", "Content-Encoding": "identity" }],
] as const) {
  test(`${what}: a body of exactly the bound is read`, async () =>
    assert.deepEqual(await readBody(message(headers), 5), { ok: true, value: new Uint8Array(5) }));

  test(`${what}: a body of one byte over the bound is refused`, async () =>
    assert.deepEqual(await readBody(message(headers), 4), { ok: false, error: "body_too_large" }));
}

for (const [what, headers] of [
  ["a body announced over the bound", { "Content-Length": "25" }],
  ["a body that decoding makes longer than announced", { "Content-Length": "5", "Content-Encoding": "gzip" }],
] as const) {
  test(`${what} is not read to its end`, async () => {
    const { stream, seen } = body(5, 5, 5, 5, 5);
    assert.deepEqual(await readBody(message(headers, stream), 8), { ok: false, error: "body_too_large" });
    assert.deepEqual(seen, { isCancelled: true, pulled: 2 });
  });
}

test("a body that is longer than its announcement is refused", async () =>
  assert.deepEqual(await readBody(message({ "Content-Length": "1" }), 4), { ok: false, error: "body_too_large" }));

test("JSON is read up to the bound, and in UTF-8 alone", async () => {
  assert.deepEqual(await readJson(message({}, '{"a":1}'), 7), { ok: true, value: { a: 1 } });
  assert.deepEqual(await readJson(message({}, '{"a":1}'), 6), { ok: false, error: "body_too_large" });
  assert.deepEqual(await readJson(message({}, Uint8Array.of(0x22, 0xff, 0x22)), 8), {
    ok: false,
    error: "json_malformed",
  });
});
