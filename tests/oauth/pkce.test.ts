import assert from "node:assert/strict";
import { test } from "node:test";
import { computeChallenge, isCodeChallenge, isCodeVerifier } from "../../src/oauth/pkce.ts";

/** RFC 7636 Appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

test("RFC 7636 Appendix B: the challenge of the example", async () =>
  assert.equal(await computeChallenge(VERIFIER), CHALLENGE));

for (const text of [
  "",
  CHALLENGE.slice(1),
  `${CHALLENGE}A`,
  `${CHALLENGE}=`,
  CHALLENGE.replace("9", "+"),
  `${CHALLENGE}\n`,
  CHALLENGE.replace("9", "."),
]) {
  test(`OA-06: ${JSON.stringify(text)} is no S256 challenge`, () => assert.equal(isCodeChallenge(text), false));
}

test("OA-06: 43 base64url characters are a challenge", () => assert.equal(isCodeChallenge(CHALLENGE), true));

for (const text of [
  "",
  "a".repeat(42),
  "a".repeat(129),
  `${"a".repeat(42)}+`,
  `${"a".repeat(42)} `,
  `${VERIFIER}\n`,
  `${"a".repeat(42)}é`,
]) {
  test(`RFC 7636 §4.1: ${JSON.stringify(text.slice(-8))} of ${text.length} characters is no verifier`, () => {
    assert.equal(isCodeVerifier(text), false);
  });
}

for (const text of ["a".repeat(43), "a".repeat(128), VERIFIER, `-._~${"Z9".repeat(20)}`]) {
  test(`RFC 7636 §4.1: ${text.slice(0, 8)} of ${text.length} characters is a verifier`, () =>
    assert.equal(isCodeVerifier(text), true));
}
