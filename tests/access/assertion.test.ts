import assert from "node:assert/strict";
import { test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { verifyAssertion } from "../../src/access/assertion.ts";
import type { EpochSeconds } from "../../src/core/time.ts";
import { testConfig } from "../environment.ts";

const NOW = 1_800_000_000 as EpochSeconds;
const TEAM = "assertion-test.cloudflareaccess.com";
const AUDIENCE = "4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2";
const CONFIG = testConfig({
  CF_ACCESS_TEAM_DOMAIN: TEAM,
  CF_ACCESS_AUD: AUDIENCE,
  CF_ACCESS_SERVICE_TOKENS: "robot.access",
});
const PERSON = { sub: "ada", email: "ada@contoso.example" };
const { privateKey, publicKey } = await generateKeyPair("RS256");
const KEYS = { keys: [{ ...(await exportJWK(publicKey)), kid: "one" }] };

async function outcome(claims: object): Promise<string> {
  const assertion = await new SignJWT({ type: "app", iss: `https://${TEAM}`, aud: AUDIENCE, iat: NOW - 60, ...claims })
    .setProtectedHeader({ alg: "RS256", kid: "one" })
    .sign(privateKey);
  const realFetch = globalThis.fetch;
  globalThis.fetch = async () => Response.json(KEYS);
  try {
    const verified = await verifyAssertion(CONFIG, assertion, NOW);
    return verified.ok ? verified.value.subject : verified.error;
  } finally {
    globalThis.fetch = realFetch;
  }
}

test("AC-01: an assertion that ended 29 seconds ago is accepted, since clocks differ; 31 seconds ago is too long", async () => {
  assert.equal(await outcome({ ...PERSON, exp: NOW - 29 }), `https://${TEAM}|ada`);
  assert.equal(await outcome({ ...PERSON, exp: NOW - 31 }), "jwt_invalid");
});

test("AC-04: a service token is known by its common name, when it is listed", async () => {
  const robot = (common_name: string) => outcome({ sub: "", common_name, exp: NOW + 60 });
  assert.equal(await robot("robot.access"), `https://${TEAM}|service:robot.access`);
  assert.equal(await robot("other.access"), "access_service_unlisted");
});

test("AC-01: an assertion without a person, or without an address, is invalid", async () => {
  assert.equal(await outcome({ ...PERSON, sub: "", exp: NOW + 60 }), "jwt_invalid");
  assert.equal(await outcome({ sub: "ada", exp: NOW + 60 }), "jwt_invalid");
});
