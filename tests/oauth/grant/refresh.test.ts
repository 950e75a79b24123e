import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccess } from "../../../src/oauth/grant/access.ts";
import {
  type Active,
  GRANT_LIFETIME_SECONDS,
  REFRESH_IDLE_SECONDS,
  REPLAY_WINDOW_SECONDS,
} from "../../../src/oauth/grant/grant.ts";
import { type Rotation, rotateRefresh } from "../../../src/oauth/grant/refresh.ts";
import { active, after, authorization, box, rotation, SCOPES, T } from "./life.ts";

const REFUSED: readonly (readonly [reason: string, changes: Partial<Rotation>])[] = [
  ["client_mismatch", { clientId: "other" }],
  ["resource_mismatch", { isResourceAccepted: () => false }],
  ["scope_widened", { scopes: ["Calendars.Read"] }],
  ["scope_widened", { scopes: ["Mail.Read", "Calendars.Read"] }],
];

for (const [reason, changes] of REFUSED) {
  test(`OA-08: ${reason} is refused and changes nothing (${JSON.stringify(changes)})`, () => {
    const grant = active();
    const { next, outcome } = rotateRefresh(grant, rotation("refresh-0", 1, T, changes), T);
    assert.deepEqual([next === grant, outcome], [true, { kind: "refused", reason }]);
  });
}

test("OA-08: another client with a stolen old token ends nothing, it only learns that it is refused", () => {
  const grant = active(3);
  const { next, outcome } = rotateRefresh(grant, rotation("refresh-0", 9, after(9), { clientId: "other" }), after(9));
  assert.deepEqual([next === grant, outcome], [true, { kind: "refused", reason: "client_mismatch" }]);
});

test("RFC 9700 §4.14.2: a token two generations old ends the family", () => {
  const { next, outcome } = rotateRefresh(active(2), rotation("refresh-0", 9, after(9)), after(9));
  assert.deepEqual([next?.state, outcome], ["ended", { kind: "refused", reason: "refresh_reused" }]);
});

test("RFC 9700 §4.14.2: reuse kills the newest token and every access token", () => {
  const { next } = rotateRefresh(active(2), rotation("refresh-0", 9, after(9)), after(9));
  assert.equal(rotateRefresh(next, rotation("refresh-2", 10, after(9)), after(9)).outcome.kind, "refused");
  assert.equal(checkAccess(next, "access-2", after(9)), undefined);
});

test("OA-08: the previous token after 600 seconds ends the family", () => {
  const late = after(1 + REPLAY_WINDOW_SECONDS + 1);
  const { outcome } = rotateRefresh(active(1), rotation("refresh-0", 9, late), late);
  assert.deepEqual(outcome, { kind: "refused", reason: "refresh_reused" });
});

test("OA-08: the previous token at 600 seconds gives the same successor", () => {
  assert.equal(REPLAY_WINDOW_SECONDS, 600);
  const late = after(1 + REPLAY_WINDOW_SECONDS);
  assert.equal(rotateRefresh(active(1), rotation("refresh-0", 9, late), late).outcome.kind, "repeated");
});

test("OA-08: once the successor was used, its predecessor ends the family even within 600 seconds", () => {
  const { outcome } = rotateRefresh(active(2), rotation("refresh-0", 9, after(3)), after(3));
  assert.deepEqual(outcome, { kind: "refused", reason: "refresh_reused" });
});

test("OA-08: a repeated refresh gives the same successor and a new access token, and nothing else changes", () => {
  const grant = active(1);
  const { next, outcome } = rotateRefresh(grant, rotation("refresh-0", 9, after(2)), after(2));
  assert.deepEqual(outcome, {
    kind: "repeated",
    scopes: SCOPES,
    authorization: authorization(),
    successorBox: box("refresh-1"),
  });
  const { access: before, ...restBefore } = grant;
  const { access, ...rest } = next as Active;
  assert.deepEqual(rest, restBefore);
  assert.deepEqual([access.length, access.at(-1)?.hash], [before.length + 1, "access-9"]);
});

test("OA-08: eight parallel refreshes with one token leave every access token alive", () => {
  let grant: Active = active();
  for (let number = 1; number <= 8; number += 1) {
    grant = rotateRefresh(grant, rotation("refresh-0", number), T).next as Active;
  }
  const alive = [1, 2, 3, 4, 5, 6, 7, 8].filter((number) => checkAccess(grant, `access-${number}`, T) !== undefined);
  assert.deepEqual([alive.length, grant.refresh.current], [8, "refresh-1"]);
});

test("OA-08: the successor drawn for a repeated refresh is thrown away", () => {
  const { next } = rotateRefresh(active(1), rotation("refresh-0", 9, after(2)), after(2));
  assert.ok(!JSON.stringify((next as Active).refresh).includes("refresh-9"));
});

test("OA-08: a repeated refresh does not prolong the 600 seconds", () => {
  const { next } = rotateRefresh(active(1), rotation("refresh-0", 9, after(500)), after(500));
  const { outcome } = rotateRefresh(next, rotation("refresh-0", 10, after(700)), after(700));
  assert.deepEqual(outcome, { kind: "refused", reason: "refresh_reused" });
});

test("D-46: a refresh token unused for 30 days is unknown, and using it ends nothing", () => {
  assert.equal(REFRESH_IDLE_SECONDS, 30 * 86_400);
  const grant = active();
  const { next, outcome } = rotateRefresh(grant, rotation("refresh-0", 1), after(REFRESH_IDLE_SECONDS));
  assert.deepEqual([next === grant, outcome], [true, { kind: "refused", reason: "refresh_unknown" }]);
});

test("D-46: a refresh token lives one second before that", () => {
  const late = after(REFRESH_IDLE_SECONDS - 1);
  assert.equal(rotateRefresh(active(), rotation("refresh-0", 1, late), late).outcome.kind, "rotated");
});

test("OA-08: scope narrows the new access token alone", () => {
  const narrow = rotation("refresh-0", 1, T, { scopes: ["Mail.Read"] });
  const { next, outcome } = rotateRefresh(active(), narrow, T);
  assert.deepEqual(outcome.kind === "rotated" && outcome.scopes, ["Mail.Read"]);
  assert.deepEqual(checkAccess(next, "access-1", T)?.scopes, ["Mail.Read"]);
});

test("OA-08: after a narrowed refresh the refresh token still holds all that was granted", () => {
  const { next } = rotateRefresh(active(), rotation("refresh-0", 1, T, { scopes: ["Mail.Read"] }), T);
  const { outcome } = rotateRefresh(next, rotation("refresh-1", 2), T);
  assert.deepEqual(outcome.kind === "rotated" && outcome.scopes, SCOPES);
});

test("OA-08: the first token ends the family after 40 rotations too", () => {
  const { next, outcome } = rotateRefresh(active(40), rotation("refresh-0", 99, after(99)), after(99));
  assert.deepEqual([next?.state, outcome], ["ended", { kind: "refused", reason: "refresh_reused" }]);
});

test("OA-08: however often a grant is refreshed, what is kept of its refresh tokens does not grow", () => {
  const sizeOf = (rotations: number) => JSON.stringify(active(rotations).refresh).length;
  assert.equal(sizeOf(20), sizeOf(90));
});

test("OA-08: refreshing does not touch the access tokens that are still alive", () => {
  const { next } = rotateRefresh(active(), rotation("refresh-0", 1, after(60)), after(60));
  assert.notEqual(checkAccess(next, "access-0", after(60)), undefined);
});

/** A grant that was refreshed on its 89th day: only its absolute end is near. */
function old(): Active {
  const grant = active(3);
  const expiresAt = after(GRANT_LIFETIME_SECONDS);
  return { ...grant, refresh: { ...grant.refresh, expiresAt } };
}

test("D-46: in the last minute of a grant a refresh is refused and changes nothing", () => {
  const late = after(GRANT_LIFETIME_SECONDS - 59);
  const grant = old();
  const { next, outcome } = rotateRefresh(grant, rotation("refresh-3", 4, late), late);
  assert.deepEqual([next === grant, outcome], [true, { kind: "refused", reason: "refresh_unknown" }]);
});

test("D-46: a minute before its end a grant is still refreshed", () => {
  const late = after(GRANT_LIFETIME_SECONDS - 60);
  assert.equal(rotateRefresh(old(), rotation("refresh-3", 4, late), late).outcome.kind, "rotated");
});

test("OA-08: in the last minute of a grant reuse still ends it", () => {
  const late = after(GRANT_LIFETIME_SECONDS - 59);
  const { next, outcome } = rotateRefresh(old(), rotation("refresh-0", 4, late), late);
  assert.deepEqual([next?.state, outcome], ["ended", { kind: "refused", reason: "refresh_reused" }]);
});
