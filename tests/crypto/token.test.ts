// D-31, AU-02: what a token says is believed only with a good tag, of the right kind and in time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { base64url, readBase64url } from "../../src/core/bytes.ts";
import { addSeconds, type EpochSeconds, epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { hasOurShape, mintGrantId, mintToken, readToken, type TokenKind } from "../../src/crypto/token.ts";

const OLD_KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const NEW_KEY = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const KINDS: readonly TokenKind[] = ["m365c", "m365a", "m365r", "m365s"];
const ring = await loadKeyRing(OLD_KEY, undefined);
const now = epochSeconds(1_800_000_000_000);
const expiresAt = addSeconds(now, 3600);
const gid = mintGrantId();
const token = await mintToken(ring, "m365a", gid, expiresAt);
const [kindText = "", , secretText = ""] = token.text.split(".");

async function problem(text: string, at: EpochSeconds = now, kind: TokenKind = "m365a"): Promise<string> {
  const read = await readToken(ring, kind, text, at);
  return read.ok ? "none" : read.error;
}

for (const minted of KINDS) {
  for (const asked of KINDS.filter((kind) => kind !== minted)) {
    test(`AU-06: a token of kind ${minted} is no ${asked}`, async () => {
      const { text } = await mintToken(ring, minted, gid, expiresAt);
      assert.equal(await problem(text, now, asked), "token_malformed");
    });
    test(`AU-06: a token of kind ${minted} renamed to ${asked} is forged`, async () => {
      const { text } = await mintToken(ring, minted, gid, expiresAt);
      assert.equal(await problem(text.replace(minted, asked), now, asked), "token_forged");
    });
  }
}

test("AU-02: a token is over in the second of its expiry", async () => {
  assert.equal(await problem(token.text, expiresAt), "token_expired");
});

test("AU-02: a token lives one second before its expiry", async () => {
  assert.equal(await problem(token.text, addSeconds(expiresAt, -1)), "none");
});

test("AU-02: a forged token is forged, not expired, so that nobody learns from the difference", async () => {
  const forged = `m365a.${gid}.${base64url(new Uint8Array(44))}`;
  assert.equal(await problem(forged), "token_forged");
});

test("AU-02: a token with any one character changed is refused", async () => {
  for (const [index, character] of [...token.text].entries()) {
    for (const other of ["A", "B", "-", ".", "é"].filter((candidate) => candidate !== character)) {
      const changed = `${token.text.slice(0, index)}${other}${token.text.slice(index + 1)}`;
      assert.notEqual(await problem(changed), "none", `${index}: ${other}`);
    }
  }
});

test("AU-02: a token with any one bit of its secret flipped is forged", async () => {
  const secret = readBase64url(secretText) ?? new Uint8Array();
  for (let bit = 0; bit < secret.length * 8; bit += 1) {
    const flipped = Uint8Array.from(secret);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(await problem(`m365a.${gid}.${base64url(flipped)}`), "token_forged", `bit ${bit}`);
  }
});

test("AU-02: a later expiry cannot be written into a token", async () => {
  const secret = readBase64url(secretText) ?? new Uint8Array();
  const longer = Uint8Array.of(0xff, 0xff, 0xff, 0xff, ...secret.subarray(4));
  assert.equal(await problem(`m365a.${gid}.${base64url(longer)}`), "token_forged");
});

test("AU-02: a token moved to another grant is forged", async () => {
  assert.equal(await problem(`m365a.${mintGrantId()}.${secretText}`), "token_forged");
});

/** 59 characters hold 354 bits for 352: two spare bits, which another spelling could set. */
test("AU-02: another spelling of the same secret is malformed", async () => {
  const last = secretText.at(-1) ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const sibling = alphabet[alphabet.indexOf(last) ^ 1] ?? "";
  assert.equal(await problem(`m365a.${gid}.${secretText.slice(0, -1)}${sibling}`), "token_malformed");
});

test("AU-02: another spelling of the same grant id is malformed", async () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const sibling = alphabet[alphabet.indexOf(gid.at(-1) ?? "") ^ 1] ?? "";
  assert.equal(await problem(`m365a.${gid.slice(0, -1)}${sibling}.${secretText}`), "token_malformed");
});

const MALFORMED: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["the kind alone", "m365a."],
  ["two parts", `m365a.${gid}`],
  ["four parts", `${token.text}.A`],
  ["a character more", `${token.text}A`],
  ["a character less", token.text.slice(0, -1)],
  ["a line break at the end", `${token.text}\n`],
  ["a blank before it", ` ${token.text}`],
  ["padding", `${token.text}=`],
  ["the kind in capitals", `M365A.${gid}.${secretText}`],
  ["a kind that does not exist", `m365x.${gid}.${secretText}`],
  ["the grant id in the secret's place", `${kindText}.${secretText}.${gid}`],
];

for (const [what, text] of MALFORMED) {
  test(`AU-02: a token with ${what} is malformed`, async () => assert.equal(await problem(text), "token_malformed"));
}

test("D-07: a token of the previous key is accepted", async () => {
  const rotated = await loadKeyRing(NEW_KEY, OLD_KEY);
  assert.deepEqual(await readToken(rotated, "m365a", token.text, now), { ok: true, value: token });
});

test("D-07: once the previous key is gone its tokens are forged", async () => {
  const rotated = await loadKeyRing(NEW_KEY, undefined);
  assert.deepEqual(await readToken(rotated, "m365a", token.text, now), { ok: false, error: "token_forged" });
});

test("D-07: tokens are minted with the current key, not with the previous one", async () => {
  const rotated = await loadKeyRing(NEW_KEY, OLD_KEY);
  assert.equal(await problem((await mintToken(rotated, "m365a", gid, expiresAt)).text), "token_forged");
});

for (const kind of KINDS) {
  test(`D-31: a ${kind} says its grant and its expiry`, async () => {
    const minted = await mintToken(ring, kind, gid, expiresAt);
    assert.deepEqual(await readToken(ring, kind, minted.text, now), {
      ok: true,
      value: { text: minted.text, gid, expiresAt },
    });
  });
}

test("D-31: a token has three parts of RFC 6750 b64token characters and one length", () => {
  assert.match(token.text, /^m365a\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{59}$/);
  assert.equal(token.text.length, 5 + 1 + 22 + 1 + 59);
});

test("D-31: an expiry after 2038 is kept", async () => {
  const late = epochSeconds(4_000_000_000_000);
  const minted = await mintToken(ring, "m365r", gid, late);
  const read = await readToken(ring, "m365r", minted.text, now);
  assert.equal(read.ok && read.value.expiresAt, late);
});

test("D-31: no two tokens are equal", async () => {
  assert.notEqual((await mintToken(ring, "m365a", gid, expiresAt)).text, token.text);
});

for (const [text, isOurs] of [
  ["m365a.", true],
  ["m365z.anything at all", true],
  ["m365A.", true],
  ["test-token", false],
  ["m365.a", false],
  ["m3650.a", false],
  ["eyJhbGciOiJSUzI1NiJ9.e30.x", false],
  [" m365a.", false],
] as const) {
  test(`D-03: "${text}" ${isOurs ? "claims to be" : "is not"} of our shape`, () =>
    assert.equal(hasOurShape(text), isOurs));
}

for (const text of ["", "A".repeat(21), "A".repeat(23), `${"A".repeat(21)}B`, `${"A".repeat(21)}=`]) {
  test(`D-31: "${text}" is no grant id`, async () =>
    assert.equal(await problem(`m365a.${text}.${secretText}`), "token_malformed"));
}

test("D-31: a drawn grant id has 128 bits", () => assert.equal(readBase64url(mintGrantId())?.length, 16));
