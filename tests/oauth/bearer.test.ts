import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { mintGrantId, mintToken, type TokenKind } from "../../src/crypto/token.ts";
import { presentedBearer, readBearer } from "../../src/oauth/bearer.ts";
import { KEY_ONE, KEY_TWO, testConfig } from "../environment.ts";
import { NOW } from "./context.ts";

const ring = await loadKeyRing(KEY_ONE, undefined);
const gid = mintGrantId();
const expiresAt = addSeconds(NOW, 60);
const access = await mintToken(ring, "m365a", gid, expiresAt);

async function kind(header: string | null, at = NOW): Promise<string> {
  const bearer = await readBearer(header, testConfig(), at);
  return bearer.kind === "invalid" ? bearer.reason : bearer.kind;
}

for (const header of [
  null,
  "",
  "Bearer",
  "Bearer ",
  "Basic YTpi",
  access.text,
  `Token ${access.text}`,
  `Bearer ${access.text} x`,
  `Bearer\t${access.text}`,
]) {
  test(`RFC 6750 §2.1: ${JSON.stringify(header?.slice(0, 20) ?? null)} presents no bearer token`, async () => {
    assert.equal(await kind(header), "none");
  });
}

for (const text of ["test-token", "eyJhbGciOiJub25lIn0.e30.", "m365", "M365A.x.y"]) {
  test(`D-03: the bearer ${text} is not ours`, async () => assert.equal(await kind(`Bearer ${text}`), "none"));
}

for (const other of ["m365r", "m365c", "m365s"] as const satisfies readonly TokenKind[]) {
  test(`AU-06: a ${other} as bearer is invalid`, async () => {
    const { text } = await mintToken(ring, other, gid, expiresAt);
    assert.equal(await kind(`Bearer ${text}`), "token_malformed");
  });
}

test("AU-02: garbage with our prefix is invalid", async () =>
  assert.equal(await kind("Bearer m365a.garbage"), "token_malformed"));

test("AU-02: our token with something after it is invalid", async () => {
  assert.equal(await kind(`Bearer ${access.text}A`), "token_malformed");
});

test("AU-02: a bearer of a megabyte is invalid", async () => {
  assert.equal(await kind(`Bearer m365a.${"A".repeat(1_000_000)}`), "token_malformed");
});

test("AU-02: an expired bearer is invalid", async () =>
  assert.equal(await kind(`Bearer ${access.text}`, expiresAt), "token_expired"));

test("AU-02: the bearer of another server is invalid", async () => {
  const { text } = await mintToken(await loadKeyRing(KEY_TWO, undefined), "m365a", gid, expiresAt);
  assert.equal(await kind(`Bearer ${text}`), "token_forged");
});

for (const scheme of ["Bearer ", "bearer ", "BEARER ", "Bearer   "]) {
  test(`RFC 9110 §11.1: the scheme "${scheme}" counts`, async () => {
    assert.deepEqual(await readBearer(`${scheme}${access.text}`, testConfig(), NOW), { kind: "valid", token: access });
  });
}

for (const [header, isClaim] of [
  [null, false],
  ["Bearer test-token", false],
  ["Basic m365a.x", false],
  ["Bearer m365a.x", true],
  ["bearer m365q.", true],
] as const) {
  test(`D-03: ${JSON.stringify(header)} ${isClaim ? "claims" : "does not claim"} to be ours`, async () => {
    assert.equal((await kind(header)) !== "none", isClaim);
  });
}

test("RFC 6750 §2.1: the token is what follows the scheme", () =>
  assert.equal(presentedBearer("Bearer a.b-c"), "a.b-c"));
