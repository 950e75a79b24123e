// ST-01: boxes open in one place, with one key, unchanged; everything else is one and the same refusal.
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url, readBase64url } from "../../src/core/bytes.ts";
import { type BoxPlace, isCurrent, open, openValue, seal, sealValue } from "../../src/crypto/box.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";

const OLD_KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const NEW_KEY = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const THIRD_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ring = await loadKeyRing(OLD_KEY, undefined);
const GID = "AAAAAAAAAAAAAAAAAAAAAA";
const place: BoxPlace = ["login", GID, "login"];
const UNREADABLE = undefined;
const box = await seal(ring, place, "a secret of 24 characters");

const parts = box.split(".");

for (const [part, name] of ["version", "kid", "iv", "ciphertext"].entries()) {
  test(`ST-01: any character of the ${name} changed and the box does not open`, async () => {
    const text = parts[part] ?? "";
    for (const [index, character] of [...text].entries()) {
      const other = character === "0" ? "1" : "0";
      const changed = `${text.slice(0, index)}${other}${text.slice(index + 1)}`;
      assert.deepEqual(await open(ring, place, parts.with(part, changed).join(".")), UNREADABLE, `${name} ${index}`);
    }
  });
}

for (const [part, name] of [
  [2, "iv"],
  [3, "ciphertext and tag"],
] as const) {
  test(`ST-01: any bit of ${name} flipped and the box does not open`, async () => {
    const bytes = readBase64url(parts[part] ?? "") ?? new Uint8Array();
    for (let index = 0; index < bytes.length * 8; index += 1) {
      const flipped = Uint8Array.from(bytes);
      flipped[index >> 3] = (flipped[index >> 3] ?? 0) ^ (1 << (index & 7));
      assert.deepEqual(await open(ring, place, parts.with(part, base64url(flipped)).join(".")), UNREADABLE);
    }
  });
}

const ELSEWHERE: readonly (readonly [what: string, place: BoxPlace])[] = [
  ["another purpose", ["microsoft-tokens", GID, "login"]],
  ["another grant", ["login", "AAAAAAAAAAAAAAAAAAAAAQ", "login"]],
  ["another column", ["login", GID, "microsoft"]],
  ["something presented that was not asked for", ["login", GID, "login", "cookie"]],
  ["a grant whose name runs into the column", ["login", `${GID}|login`, ""]],
];

for (const [what, other] of ELSEWHERE) {
  test(`ST-01: a box moved to ${what} does not open`, async () =>
    assert.deepEqual(await open(ring, other, box), UNREADABLE));
}

test("ST-01: a box that needs a cookie does not open with another one", async () => {
  const bound = await seal(ring, ["login", GID, "login", "cookie-one"], "text");
  assert.deepEqual(await open(ring, ["login", GID, "login", "cookie-two"], bound), UNREADABLE);
});

test("ST-01: a box that needs a cookie does not open without one", async () => {
  const bound = await seal(ring, ["login", GID, "login", "cookie-one"], "text");
  assert.deepEqual(await open(ring, place, bound), UNREADABLE);
});

const MALFORMED: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["three parts", parts.slice(0, 3).join(".")],
  ["five parts", `${box}.AAAA`],
  ["a blank at the end", `${box} `],
  ["an iv of 11 bytes", parts.with(2, base64url(new Uint8Array(11))).join(".")],
  ["an iv of 16 bytes", parts.with(2, base64url(new Uint8Array(16))).join(".")],
  ["no ciphertext", parts.with(3, "").join(".")],
  ["a ciphertext shorter than its tag", parts.with(3, "AAAA").join(".")],
  ["padding", `${box}=`],
];

for (const [what, text] of MALFORMED) {
  test(`ST-01: a box with ${what} does not open and nothing is thrown`, async () => {
    assert.deepEqual(await open(ring, place, text), UNREADABLE);
  });
}

test("ST-01: the key of another server opens nothing", async () => {
  assert.deepEqual(await open(await loadKeyRing(THIRD_KEY, undefined), place, box), UNREADABLE);
});

test("ST-01: a kid of the current key on a box of another key opens nothing", async () => {
  const other = await loadKeyRing(THIRD_KEY, undefined);
  const renamed = (await seal(other, place, "text")).replace(other[0].kid, ring[0].kid);
  assert.deepEqual(await open(ring, place, renamed), UNREADABLE);
});

test("D-07: after a rotation the previous key still opens and says so", async () => {
  const rotated = await loadKeyRing(NEW_KEY, OLD_KEY);
  assert.equal(await open(rotated, place, box), "a secret of 24 characters");
  assert.equal(isCurrent(rotated, box), false);
});

test("D-07: before a rotation the new key in the previous slot opens what the other isolates seal", async () => {
  const ahead = await seal(await loadKeyRing(NEW_KEY, OLD_KEY), place, "text");
  assert.equal(await open(await loadKeyRing(OLD_KEY, NEW_KEY), place, ahead), "text");
});

test("D-07: once the previous key is gone its boxes do not open", async () => {
  assert.deepEqual(await open(await loadKeyRing(NEW_KEY, undefined), place, box), UNREADABLE);
});

test("ST-01: what was sealed with the current key opens without a word about a previous one", async () => {
  assert.equal(await open(ring, place, box), "a secret of 24 characters");
  assert.equal(isCurrent(ring, box), true);
});

test("ST-01: the shape is v1, eight hexadecimal digits, 96 bits of iv, ciphertext with a 128-bit tag", () => {
  assert.match(box, /^v1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+$/);
  assert.equal(readBase64url(parts[3] ?? "")?.length, "a secret of 24 characters".length + 16);
});

test("ST-01: the same text never gives the same box", async () => {
  assert.notEqual(await seal(ring, place, "text"), await seal(ring, place, "text"));
});

test("ST-01: a value is opened as it was sealed", async () => {
  const value = { text: "ä \u0000 😀", list: [1, null, { a: true }] };
  const opened = await openValue(ring, place, await sealValue(ring, place, value));
  assert.deepEqual(opened, value);
});

test("ST-01: a value in a changed box is refused like any other", async () => {
  const sealed = await sealValue(ring, place, { a: 1 });
  assert.deepEqual(await openValue(ring, ["login", GID, "other"], sealed), UNREADABLE);
});
