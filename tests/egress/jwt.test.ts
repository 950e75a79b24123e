import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import * as v from "valibot";
import type { EpochSeconds } from "../../src/core/time.ts";
import { verifyJwt } from "../../src/egress/jwt.ts";

const NOW = 1_800_000_000 as EpochSeconds;
const { privateKey, publicKey } = await generateKeyPair("RS256");
const KEY: JWK = { ...(await exportJWK(publicKey)), kid: "one", use: "sig" };

const sign = (kid: string | undefined, claims: object = {}) =>
  new SignJWT({ iss: "i", aud: "a", iat: NOW, exp: NOW + 60, ...claims })
    .setProtectedHeader({ alg: "RS256", ...(kid && { kid }) })
    .sign(privateKey);

const realFetch = globalThis.fetch;
let fetched = 0;
let published: () => Response;
let issuers = 0;
let url: string;
beforeEach(() => {
  fetched = 0;
  published = () => Response.json({ keys: [KEY] });
  // Key sets are kept by their address.
  issuers += 1;
  url = `https://issuer-${issuers}.example/keys`;
  globalThis.fetch = async () => {
    fetched += 1;
    return published();
  };
});
afterEach(() => {
  globalThis.fetch = realFetch;
});

async function outcome(jwt: string, now: number = NOW): Promise<string> {
  const expected = { issuer: "i", audience: "a" };
  const verified = await verifyJwt(jwt, url, v.object({ iss: v.string() }), expected, now as EpochSeconds);
  return verified.ok ? verified.value.iss : verified.error;
}

test("RFC 7517 §5: a JWT is verified with the published key of its kid", async () => {
  assert.equal(await outcome(await sign("one")), "i");
  assert.equal(await outcome(await sign("one")), "i");
  assert.equal(fetched, 1);
});

const REFUSED: readonly (readonly [what: string, kid: string | undefined, claims: object, key?: JWK])[] = [
  ["without a kid", undefined, {}],
  ["of an unpublished kid", "two", {}],
  ["of another issuer", "one", { iss: "j" }],
  ["for another audience", "one", { aud: "b" }],
  ["that ended over 30 seconds ago", "one", { exp: NOW - 31 }],
  ["without an end", "one", { exp: undefined }],
  ["whose key is for encryption", "one", {}, { ...KEY, use: "enc" }],
  ["whose key is for another algorithm", "one", {}, { ...KEY, alg: "PS256" }],
  ["whose key is symmetric", "one", {}, { kty: "oct", k: "c2VjcmV0", kid: "one" }],
];

for (const [what, kid, claims, key] of REFUSED) {
  test(`RFC 7519 §7.2: a JWT ${what} is invalid`, async () => {
    if (key !== undefined) published = () => Response.json({ keys: [key] });
    assert.equal(await outcome(await sign(kid, claims)), "jwt_invalid");
  });
}

for (const other of [
  { kty: "EC", crv: "P-256", x: "AA", y: "AA" },
  { kty: "oct", k: "c2VjcmV0" },
]) {
  test(`RFC 7517 §4.5: a key of type ${other.kty} may have the same kid as ours`, async () => {
    published = () => Response.json({ keys: [{ ...other, kid: "one" }, KEY] });
    assert.equal(await outcome(await sign("one")), "i");
  });
}

test("RFC 8725 §3.1: a JWT of another algorithm is refused before any key is fetched", async () => {
  const jwt = await new SignJWT({ iss: "i" }).setProtectedHeader({ alg: "HS256", kid: "one" }).sign(new Uint8Array(32));
  assert.equal(await outcome(jwt), "jwt_invalid");
  assert.equal(fetched, 0);
});

test("AC-01: an unknown kid makes us look again, at most every 30 seconds", async () => {
  await outcome(await sign("one"));
  await outcome(await sign("two"), NOW + 29);
  assert.equal(fetched, 1);
  published = () => Response.json({ keys: [{ ...KEY, kid: "two" }] });
  assert.equal(await outcome(await sign("two"), NOW + 30), "i");
  assert.equal(fetched, 2);
});

test("AC-01: keys are asked for again after ten minutes, and not before", async () => {
  const jwt = await sign("one", { exp: NOW + 3600 });
  assert.equal(await outcome(jwt), "i");
  published = () => Response.json({ keys: [{ ...KEY, kid: "two" }] });
  assert.equal(await outcome(jwt, NOW + 599), "i");
  assert.equal(fetched, 1);
  // A key that is no longer published ends with the ten minutes.
  assert.equal(await outcome(jwt, NOW + 600), "jwt_invalid");
  assert.equal(fetched, 2);
});

for (const [what, answer] of [
  ["no answer", () => assert.fail("away")],
  ["a page", () => new Response("<html>")],
  ["an error", () => Response.json({ keys: [KEY] }, { status: 500 })],
  ["no list of keys", () => Response.json({ keys: "one" })],
  ["a list of something else", () => Response.json({ keys: [null] })],
] as const) {
  test(`EN-07: ${what} instead of keys is no verdict, is not kept, and leaves keys that were there`, async () => {
    const jwt = await sign("one");
    published = answer;
    assert.equal(await outcome(jwt), "keys_unavailable");
    published = () => Response.json({ keys: [KEY] });
    assert.equal(await outcome(jwt), "i");
    published = answer;
    const later = await sign("one", { exp: NOW + 700 });
    assert.equal(await outcome(later, NOW + 601), "i");
  });
}
