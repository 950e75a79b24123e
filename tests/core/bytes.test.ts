import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  base64url,
  equalBytes,
  equalText,
  hex,
  readBase64,
  readBase64url,
  readHex,
  readUtf8,
  utf8,
} from "../../src/core/bytes.ts";

const REFUSED: readonly (readonly [why: string, text: string])[] = [
  ["padding", "Zg=="],
  ["the alphabet of RFC 4648 §4", "+/+/"],
  ["a length that no bytes have", "Zm9vY"],
  ["spare bits that are not zero, two characters", "Zh"],
  ["spare bits that are not zero, three characters", "Zm9"],
  ["a blank", "Zm 9v"],
  ["a line break at the end", "Zm9v\n"],
  ["a letter outside ASCII", "Zmé9"],
];

for (const [why, text] of REFUSED) {
  test(`RFC 4648 §5: base64url with ${why} is refused`, () => assert.equal(readBase64url(text), undefined));
}

/** RFC 4648 §10, without padding. */
const VECTORS = [
  ["", ""],
  ["f", "Zg"],
  ["fo", "Zm8"],
  ["foo", "Zm9v"],
  ["foob", "Zm9vYg"],
  ["fooba", "Zm9vYmE"],
  ["foobar", "Zm9vYmFy"],
] as const;

for (const [text, encoded] of VECTORS) {
  test(`RFC 4648 §10: "${text}" is "${encoded}"`, () => assert.equal(base64url(utf8(text)), encoded));
}

test("RFC 4648 §5: 62 and 63 are - and _", () => assert.equal(base64url(Uint8Array.of(0xfb, 0xff)), "-_8"));

test("RFC 4648 §5: any bytes are read back", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(readBase64url(base64url(bytes)), bytes)));
});

test("RFC 4648 §5: one text per value, for any text at all", () => {
  const text = fc.string({ unit: fc.constantFrom(..."AZaz09-_=+/ "), maxLength: 12 });
  fc.assert(
    fc.property(text, (candidate) => {
      const bytes = readBase64url(candidate);
      assert.ok(bytes === undefined || base64url(bytes) === candidate);
    }),
  );
});

test("bytes that are not UTF-8 are no text", () => assert.equal(readUtf8(Uint8Array.of(0xc3, 0x28)), undefined));

test("half a surrogate pair in UTF-8 is no text", () =>
  assert.equal(readUtf8(Uint8Array.of(0xed, 0xa0, 0x80)), undefined));

test("hexadecimal is read back", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(readHex(hex(bytes)), bytes)));
});

test("equalBytes: one different bit anywhere is a difference", () => {
  const byte = fc.nat({ max: 31 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), byte, fc.nat({ max: 7 }), (left, index, bit) => {
      const right = Uint8Array.from(left);
      right[index] = (right[index] ?? 0) ^ (1 << bit);
      assert.equal(equalBytes(left, right), false);
    }),
  );
});

test("equalBytes: a beginning is not the whole", () => {
  assert.equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3)), false);
});

test("equalBytes: equal values are equal", () => assert.equal(equalBytes(utf8("same"), utf8("same")), true));

test("equalText: other letters outside ASCII differ", () => assert.equal(equalText("ä", "ö"), false));

for (const text of [
  "Zg",
  "Zg=",
  "Zg===",
  "=",
  "====",
  "Zm9v=",
  "Zm9v==",
  "Z===",
  "Zm9vYg=",
  "Zm-_",
  "Zm 9v",
  "Zm9v\n",
]) {
  test(`RFC 4648 §4: ${JSON.stringify(text)} is no base64 and nothing is thrown`, () => {
    assert.equal(readBase64(text), undefined);
  });
}

test("RFC 4648 §4: any bytes with their padding are read", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(readBase64(Buffer.from(bytes).toString("base64")), bytes);
    }),
  );
});

test("RFC 4648 §4: no text at all makes the reader throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."AZaz09+/= "), maxLength: 12 }), (text) => {
      readBase64(text);
    }),
  );
});
