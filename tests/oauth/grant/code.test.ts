import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccess } from "../../../src/oauth/grant/access.ts";
import { type Redemption, redeemCode } from "../../../src/oauth/grant/code.ts";
import { CODE_LIFETIME_SECONDS, type Grant, MAX_FAILURES } from "../../../src/oauth/grant/grant.ts";
import { rotateRefresh } from "../../../src/oauth/grant/refresh.ts";
import { active, after, authorization, coded, redemption, rotation, SCOPES, T } from "./life.ts";

const WRONG: readonly (readonly [reason: string, changes: Partial<Redemption>])[] = [
  ["client_mismatch", { clientId: "other" }],
  ["redirect_mismatch", { redirectUri: "https://app.example.com/other" }],
  ["redirect_mismatch", { redirectUri: "" }],
  ["resource_mismatch", { isResourceAccepted: () => false }],
  ["verifier_mismatch", { computedChallenge: "other" }],
  ["verifier_mismatch", { computedChallenge: "" }],
];

for (const [reason, changes] of WRONG) {
  const what = JSON.stringify(changes);
  test(`OA-07: ${reason} is refused (${what})`, () => {
    const { outcome } = redeemCode(coded(), redemption(T, changes), T);
    assert.deepEqual(outcome, { kind: "refused", reason });
  });
  test(`OA-07: ${reason} leaves the code usable (${what})`, () => {
    const { next } = redeemCode(coded(), redemption(T, changes), T);
    assert.equal(redeemCode(next, redemption(), T).outcome.kind, "redeemed");
  });
  test(`RFC 6749 §10.5: ${reason} with a used code ends nothing (${what})`, () => {
    const { next, outcome } = redeemCode(active(), redemption(T, changes), T);
    assert.deepEqual([next?.state, outcome], ["active", { kind: "refused", reason }]);
  });
}

test("OA-07: of several faults the client's is told first, then redirect, resource, verifier", () => {
  for (const [index, [reason]] of WRONG.entries()) {
    const changes = Object.assign(
      {},
      ...WRONG.slice(index)
        .reverse()
        .map(([, change]) => change),
    );
    assert.deepEqual(redeemCode(coded(), redemption(T, changes), T).outcome, { kind: "refused", reason });
  }
});

test("WOP #225: a code with a wrong secret has no effect, not even a count", () => {
  const grant = coded();
  const { next, outcome } = redeemCode(grant, redemption(T, { codeHash: "forged", clientId: "other" }), T);
  assert.deepEqual([next === grant, outcome], [true, { kind: "refused", reason: "code_unknown" }]);
});

test("WOP #225: a used grant is not ended by a code with a wrong secret", () => {
  const grant = active();
  assert.equal(redeemCode(grant, redemption(T, { codeHash: "forged" }), T).next, grant);
});

test("D-46: a code is over in the second of its expiry", () => {
  assert.equal(CODE_LIFETIME_SECONDS, 60);
  const { outcome } = redeemCode(coded(), redemption(after(60)), after(60));
  assert.deepEqual(outcome, { kind: "refused", reason: "code_expired" });
});

test("D-46: a code lives one second before its expiry", () => {
  assert.equal(redeemCode(coded(), redemption(after(59)), after(59)).outcome.kind, "redeemed");
});

function afterFailures(grant: Grant, failures: number): Grant | undefined {
  let next: Grant | undefined = grant;
  for (let failure = 0; failure < failures; failure += 1) {
    next = redeemCode(next, redemption(T, { computedChallenge: `wrong-${failure}` }), T).next;
  }
  return next;
}

test("OA-07: nine failures leave the code usable", () => {
  assert.equal(redeemCode(afterFailures(coded(), MAX_FAILURES - 1), redemption(), T).outcome.kind, "redeemed");
});

test("OA-07: the tenth failure burns the code and ends the grant", () => {
  const { next, outcome } = redeemCode(
    afterFailures(coded(), MAX_FAILURES - 1),
    redemption(T, { computedChallenge: "wrong" }),
    T,
  );
  assert.deepEqual([next?.state, outcome], ["ended", { kind: "refused", reason: "code_burned" }]);
});

test("OA-07: failures with a used code never take the tokens away", () => {
  assert.equal(afterFailures(active(), MAX_FAILURES * 3)?.state, "active");
});

test("OA-07: redirect_uri may be left out", () => {
  assert.equal(redeemCode(coded(), redemption(T, { redirectUri: undefined }), T).outcome.kind, "redeemed");
});

test("OA-07: a redemption gives what was approved and the tokens that were drawn", () => {
  const { next, outcome } = redeemCode(coded(), redemption(), T);
  assert.deepEqual(outcome, { kind: "redeemed", authorization: authorization() });
  assert.deepEqual(checkAccess(next, "access-0", T), { authorization: authorization(), scopes: SCOPES });
  assert.equal(rotateRefresh(next, rotation("refresh-0", 1), T).outcome.kind, "rotated");
});

test("RFC 6749 §10.5: a replayed code revokes the tokens of its first use", () => {
  const { next } = redeemCode(active(), redemption(), T);
  assert.equal(checkAccess(next, "access-0", T), undefined);
  assert.deepEqual(rotateRefresh(next, rotation("refresh-0", 1), T).outcome, {
    kind: "refused",
    reason: "refresh_unknown",
  });
});

test("RFC 6749 §10.5: a replayed code revokes what was refreshed since", () => {
  const { next } = redeemCode(active(3), redemption(after(10)), after(10));
  assert.equal(checkAccess(next, "access-3", after(10)), undefined);
});
