import assert from "node:assert/strict";
import { test } from "node:test";
import { addAccessToken, checkAccess, revokeToken } from "../../../src/oauth/grant/access.ts";
import { ACCESS_LIFETIME_SECONDS, type AccessRecord, MAX_ACCESS_TOKENS } from "../../../src/oauth/grant/grant.ts";
import { rotateRefresh } from "../../../src/oauth/grant/refresh.ts";
import { active, after, rotation, T } from "./life.ts";

function record(hash: string, lifetimeSeconds = 60): AccessRecord {
  return { hash, scopes: ["Mail.Read"], expiresAt: after(lifetimeSeconds) };
}

for (const hash of ["", "access-1", "access-", "refresh-0", "code-hash", "ACCESS-0"]) {
  test(`OA-08: "${hash}" is no access token of this grant`, () =>
    assert.equal(checkAccess(active(), hash, T), undefined));
}

test("D-46: an access token is over in the second of its expiry", () => {
  assert.equal(ACCESS_LIFETIME_SECONDS, 3600);
  assert.equal(checkAccess(active(), "access-0", after(3600)), undefined);
});

test("D-46: an access token lives one second before its expiry", () => {
  assert.notEqual(checkAccess(active(), "access-0", after(3599)), undefined);
});

test("OA-08: the newest 20 access tokens are kept", () => {
  let tokens: readonly AccessRecord[] = [];
  for (let number = 1; number <= 25; number += 1) tokens = addAccessToken(tokens, record(`a${number}`), T);
  assert.equal(MAX_ACCESS_TOKENS, 20);
  assert.deepEqual([tokens.length, tokens[0]?.hash, tokens.at(-1)?.hash], [20, "a6", "a25"]);
});

test("OA-08: what has expired makes room first", () => {
  const tokens = [record("over", 0), record("alive", 1)];
  assert.deepEqual(
    addAccessToken(tokens, record("new"), T).map(({ hash }) => hash),
    ["alive", "new"],
  );
});

test("OA-13: an access token revokes itself alone", () => {
  const { next } = revokeToken(active(1), { isRefresh: false, hash: "access-0", clientId: "client" });
  assert.equal(checkAccess(next, "access-0", after(1)), undefined);
  assert.notEqual(checkAccess(next, "access-1", after(1)), undefined);
  assert.equal(rotateRefresh(next, rotation("refresh-1", 2, after(2)), after(2)).outcome.kind, "rotated");
});

test("OA-13: any refresh token of the grant ends it, whichever it is: the Worker found it to be ours", () => {
  const { next, outcome } = revokeToken(active(40), { isRefresh: true, hash: "any", clientId: "client" });
  assert.deepEqual([next?.state, outcome], ["ended", "ended"]);
});

for (const hash of ["access-0", "refresh-0"]) {
  test(`RFC 7009 §2.1: another client revokes nothing with ${hash}`, () => {
    const grant = active();
    const presented = { isRefresh: hash === "refresh-0", hash, clientId: "other" };
    assert.deepEqual(revokeToken(grant, presented), { next: grant, outcome: "unchanged" });
  });
}

for (const hash of ["", "unknown", "code-hash", "refresh-0"]) {
  test(`RFC 7009 §2.2: as an access token "${hash}" revokes nothing`, () => {
    const grant = active();
    const presented = { isRefresh: false, hash, clientId: "client" };
    assert.deepEqual(revokeToken(grant, presented), { next: grant, outcome: "unchanged" });
  });
}
