import assert from "node:assert/strict";
import { test } from "node:test";
import { revokeToken } from "../../../src/oauth/grant/access.ts";
import { deadline, endGrant, expireGrant } from "../../../src/oauth/grant/end.ts";
import {
  CODE_LIFETIME_SECONDS,
  FORM_LIFETIME_SECONDS,
  GRANT_LIFETIME_SECONDS,
  type Grant,
  LOGIN_LIFETIME_SECONDS,
  REFRESH_IDLE_SECONDS,
} from "../../../src/oauth/grant/grant.ts";
import { beginLogin } from "../../../src/oauth/grant/login.ts";
import { active, after, coded, ended, exchanging, freshLogin, pending, T } from "./life.ts";

const DEADLINES: readonly (readonly [what: string, grant: Grant, seconds: number])[] = [
  ["a login that waits", pending(), LOGIN_LIFETIME_SECONDS],
  ["a login that outlives its form", freshLogin(after(300)), 300 + LOGIN_LIFETIME_SECONDS],
  ["a form that outlives its login", { ...pending(), loginExpiresAt: after(60) }, FORM_LIFETIME_SECONDS],
  ["a login that is being exchanged", exchanging(), LOGIN_LIFETIME_SECONDS],
  ["a code", coded(), CODE_LIFETIME_SECONDS],
  ["tokens", active(), REFRESH_IDLE_SECONDS],
  ["tokens refreshed a second later", active(1), REFRESH_IDLE_SECONDS + 1],
  ["an ended grant", ended(), FORM_LIFETIME_SECONDS],
];

for (const [what, grant, seconds] of DEADLINES) {
  test(`ST-07: ${what} has its deadline`, () => assert.equal(deadline(grant), after(seconds)));
  test(`ST-07: an alarm one second before the deadline of ${what} changes nothing`, () => {
    assert.equal(expireGrant(grant, after(seconds - 1)), grant);
  });
  test(`ST-07: at its deadline ${what} is no longer what it was`, () => {
    assert.notEqual(expireGrant(grant, after(seconds))?.state, grant.state);
  });
}

test("ST-07: the last access token outlives an older refresh token", () => {
  const grant = active();
  const access = grant.access.map((token) => ({ ...token, expiresAt: after(REFRESH_IDLE_SECONDS + 5) }));
  assert.equal(deadline({ ...grant, access }), after(REFRESH_IDLE_SECONDS + 5));
});

test("ST-07: a code nobody redeemed leaves a marker while its form could be posted again", () => {
  const left = expireGrant(coded(), after(CODE_LIFETIME_SECONDS));
  assert.deepEqual(left, { state: "ended", reason: "expired", formExpiresAt: after(FORM_LIFETIME_SECONDS) });
});

test("AP-03: the marker keeps the form from starting a second login", () => {
  const left = expireGrant(coded(), after(CODE_LIFETIME_SECONDS));
  assert.equal(beginLogin(left, freshLogin(after(100))).outcome.kind, "used");
});

test("ST-07: when the form has expired too, nothing is left", () => {
  assert.equal(expireGrant(ended(), after(FORM_LIFETIME_SECONDS)), undefined);
});

test("ST-07: an alarm that comes twice finds the same", () => {
  const once = expireGrant(coded(), after(100));
  assert.equal(once && expireGrant(once, after(100)), once);
});

test("ST-07: a grant whose access tokens were all revoked lives on for its refresh token", () => {
  const { next } = revokeToken(active(), { isRefresh: false, hash: "access-0", clientId: "client" });
  assert.equal(next && expireGrant(next, after(5000)), next);
});

test("ST-06: an ended grant keeps its first reason", () => {
  const first = endGrant(active(), "refresh_reused");
  assert.deepEqual([endGrant(first, "revoked"), endGrant(first, "revoked") === first], [first, true]);
});

test("D-46: 30 days idle, 90 days at most", () => {
  assert.deepEqual([REFRESH_IDLE_SECONDS, GRANT_LIFETIME_SECONDS], [30 * 86_400, 90 * 86_400]);
  assert.equal(active().authorization.expiresAt - T, GRANT_LIFETIME_SECONDS);
});
