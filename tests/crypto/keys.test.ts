import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";
import { utf8 } from "../../src/core/bytes.ts";
import { hmac, sha256 } from "../../src/crypto/hash.ts";
import { deriveMacKey, type KeyPurpose, loadKeyRing } from "../../src/crypto/keys.ts";
import { randomBytes, randomFraction, randomSecret, randomUuid } from "../../src/crypto/random.ts";

const KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const ring = await loadKeyRing(KEY, undefined);

/** What a derived key makes of one message: equal keys are equal here and nowhere else. */
async function mark(purpose: KeyPurpose, context?: string, key = ring[0]): Promise<string> {
  return Buffer.from(await hmac(await deriveMacKey(key, purpose, context), utf8("message"))).toString("hex");
}

test("ST-01: keys of two purposes differ", async () =>
  assert.notEqual(await mark("token-tag"), await mark("user-index")));

test("ST-01: keys of two grants differ", async () =>
  assert.notEqual(await mark("login", "a"), await mark("login", "b")));

test("ST-01: keys of two servers differ", async () => {
  const other = await loadKeyRing(OTHER, undefined);
  assert.notEqual(await mark("login", "a"), await mark("login", "a", other[0]));
});

test("RFC 5869 §3.2: the derivation is HKDF-SHA-256 with an empty salt and info m365/<purpose>/v1/<context>", async () => {
  // By hand: one block is enough for 32 bytes.
  const extracted = createHmac("sha256", new Uint8Array(32)).update(Buffer.from(KEY, "hex")).digest();
  const expanded = createHmac("sha256", extracted).update("m365/login/v1/gid").update(Uint8Array.of(1)).digest();
  assert.equal(await mark("login", "gid"), createHmac("sha256", expanded).update("message").digest("hex"));
});

test("ST-01: derived keys cannot be read out", async () => {
  assert.equal((await deriveMacKey(ring[0], "token-tag")).extractable, false);
});

test("ST-01: the configured key cannot be read out", () => assert.equal(ring[0].material.extractable, false));

test("ST-01: kid is the first 8 hexadecimal digits of SHA-256 of the key", () => {
  const digest = createHash("sha256").update(Buffer.from(KEY, "hex")).digest("hex");
  assert.equal(ring[0].kid, digest.slice(0, 8));
});

test("ST-01: hexadecimal digits in capitals are the same key", async () => {
  assert.equal((await loadKeyRing(KEY.toUpperCase(), undefined))[0].kid, ring[0].kid);
});

test("D-07: current and previous are not confused", async () => {
  const rotated = await loadKeyRing(OTHER, KEY);
  assert.equal(rotated[1]?.kid, ring[0].kid);
  assert.notEqual(rotated[0].kid, ring[0].kid);
});

test("a pair of keys is imported once", async () => assert.equal(await loadKeyRing(KEY, undefined), ring));

test("ST-02: sha256 is SHA-256 as 43 base64url characters (FIPS 180-4, one block)", async () => {
  assert.equal(await sha256("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
});

test("hmac is HMAC-SHA-256 (RFC 4231 §4.3)", async () => {
  const key = await crypto.subtle.importKey("raw", utf8("Jefe"), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const tag = await hmac(key, utf8("what do ya want for nothing?"));
  assert.equal(Buffer.from(tag).toString("hex"), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

test("random bytes have the length asked for", () => assert.equal(randomBytes(24).length, 24));

test("a random secret has 256 bits and is drawn anew", () => {
  assert.match(randomSecret(), /^[A-Za-z0-9_-]{43}$/);
  assert.notEqual(randomSecret(), randomSecret());
});

test("LG-02: a request id is a random UUID", () => {
  assert.match(randomUuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a random fraction is in [0, 1)", () => {
  for (let draw = 0; draw < 100; draw += 1) {
    const fraction = randomFraction();
    assert.ok(fraction >= 0 && fraction < 1);
  }
});
