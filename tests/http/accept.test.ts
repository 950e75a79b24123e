import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { prefersHtml } from "../../src/http/accept.ts";

const JSON_READERS: readonly (string | null)[] = [
  null,
  "",
  "*/*",
  "application/json",
  "application/json, text/html",
  "application/json, text/plain, */*",
  "application/json, text/event-stream",
  "text/html;q=0",
  "text/html;q=0, */*",
  "text/html;q=0.8, application/json;q=0.9",
  "text/html;q=0.8, application/*;q=0.9",
  "text/html;q=0.8, */*",
  "text/html;q=high",
  "*/*, text/html",
  "*/*;q=0.1",
  "text/plain",
  "text/htmlx",
  "application/xhtml+xml",
  ";q=1",
  ",",
];
for (const accept of JSON_READERS) {
  test(`EP-13: Accept ${JSON.stringify(accept)} gets JSON`, () => assert.equal(prefersHtml(accept), false));
}

const PEOPLE = [
  "text/html",
  "TEXT/HTML",
  " text/html ",
  "text/*",
  "text/html, */*",
  "text/html, application/json",
  "text/html;level=1",
  "text/html;charset=utf-8;q=0.9, application/json;q=0.8",
  "text/html ; q=1.0 , application/json;q=0.999",
  "application/json;q=0.5, text/html",
  "application/json;q=0, */*",
  "image/webp, text/html;q=0.2",
  // Chromium, Firefox, Safari, Lynx.
  "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
  "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "text/html, text/plain, text/sgml, */*;q=0.01",
];
for (const accept of PEOPLE) {
  test(`EP-13: Accept ${JSON.stringify(accept)} gets the page`, () => assert.equal(prefersHtml(accept), true));
}

test("RFC 9110 §12.5.1: the quality of the range that fits best counts, in whatever order", () => {
  const quality = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
  fc.assert(
    fc.property(quality, quality, quality, fc.boolean(), (html, json, other, isTurned) => {
      fc.pre(html !== json);
      const ranges = [`text/html;q=${html}`, `application/json;q=${json}`, `*/*;q=${other}`];
      assert.equal(prefersHtml((isTurned ? ranges.reverse() : ranges).join()), html > json);
    }),
  );
});

test("EP-13: no header is too odd to be read", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."text/html*;q=01.,json \t") }), (accept) => {
      assert.equal(typeof prefersHtml(accept), "boolean");
    }),
  );
});
