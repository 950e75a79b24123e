// Every state meets every event. A state that is not listed beside an outcome did not change.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccess, revokeToken } from "../../../src/oauth/grant/access.ts";
import { redeemCode } from "../../../src/oauth/grant/code.ts";
import { endGrant, expireGrant } from "../../../src/oauth/grant/end.ts";
import type { Grant } from "../../../src/oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../../../src/oauth/grant/login.ts";
import { rotateRefresh } from "../../../src/oauth/grant/refresh.ts";
import {
  active,
  after,
  CALLBACK,
  coded,
  ended,
  exchanging,
  freshLogin,
  login,
  pending,
  redemption,
  rotation,
  T,
} from "./life.ts";

const STATES = { none: () => undefined, pending, exchanging, coded, active, ended } as const;
type StateName = keyof typeof STATES;

interface Seen {
  readonly next: Grant | undefined;
  readonly outcome: string;
}

/** Each with the right secrets, at the moment `T`: whatever is refused is refused for the state. */
const EVENTS = {
  beginLogin: (grant) => described(beginLogin(grant, freshLogin())),
  "beginLogin from another browser": (grant) =>
    described(beginLogin(grant, freshLogin(T, { formCookieHash: "other" }))),
  claimLogin: (grant) => described(claimLogin(grant, CALLBACK, T)),
  completeLogin: (grant) => described(completeLogin(grant, login())),
  redeemCode: (grant) => described(redeemCode(grant, redemption(), T)),
  rotateRefresh: (grant) => described(rotateRefresh(grant, rotation("refresh-0", 1), T)),
  checkAccess: (grant) => ({
    next: grant,
    outcome: checkAccess(grant, "access-0", T) === undefined ? "refused" : "alive",
  }),
  "revokeToken, access": (grant) => revokeToken(grant, { isRefresh: false, hash: "access-0", clientId: "client" }),
  "revokeToken, refresh": (grant) => revokeToken(grant, { isRefresh: true, hash: "refresh-0", clientId: "client" }),
  "expireGrant, too early": (grant) => ({ next: grant && expireGrant(grant, T), outcome: "-" }),
  "expireGrant, a year later": (grant) => ({ next: grant && expireGrant(grant, after(365 * 86_400)), outcome: "-" }),
  endGrant: (grant) => ({ next: grant && endGrant(grant, "microsoft_ended"), outcome: "-" }),
} satisfies { readonly [event: string]: (grant: Grant | undefined) => Seen };

type EventName = keyof typeof EVENTS;

function described(transition: { next: Grant | undefined; outcome: { kind: string; reason?: string } }): Seen {
  return { next: transition.next, outcome: transition.outcome.reason ?? transition.outcome.kind };
}

/** `outcome` where nothing changed, `outcome > state` where the grant became something else. */
const TABLE: { readonly [Event in EventName]: { readonly [State in StateName]: string } } = {
  beginLogin: {
    none: "started > pending",
    pending: "already_started",
    exchanging: "used",
    coded: "used",
    active: "used",
    ended: "used",
  },
  "beginLogin from another browser": {
    none: "started > pending",
    pending: "used",
    exchanging: "used",
    coded: "used",
    active: "used",
    ended: "used",
  },
  claimLogin: {
    none: "login_unknown",
    pending: "claimed > exchanging",
    exchanging: "login_over",
    coded: "login_over",
    active: "login_over",
    ended: "login_over",
  },
  completeLogin: {
    none: "login_over",
    pending: "login_over",
    exchanging: "coded > coded",
    coded: "login_over",
    active: "login_over",
    ended: "login_over",
  },
  redeemCode: {
    none: "code_unknown",
    pending: "code_unknown",
    exchanging: "code_unknown",
    coded: "redeemed > active",
    active: "code_replayed > ended",
    ended: "code_unknown",
  },
  rotateRefresh: {
    none: "refresh_unknown",
    pending: "refresh_unknown",
    exchanging: "refresh_unknown",
    coded: "refresh_unknown",
    active: "rotated > active",
    ended: "refresh_unknown",
  },
  checkAccess: {
    none: "refused",
    pending: "refused",
    exchanging: "refused",
    coded: "refused",
    active: "alive",
    ended: "refused",
  },
  "revokeToken, access": {
    none: "unchanged",
    pending: "unchanged",
    exchanging: "unchanged",
    coded: "unchanged",
    active: "access_removed > active",
    ended: "unchanged",
  },
  "revokeToken, refresh": {
    none: "unchanged",
    pending: "unchanged",
    exchanging: "unchanged",
    coded: "unchanged",
    active: "ended > ended",
    ended: "unchanged",
  },
  "expireGrant, too early": { none: "-", pending: "-", exchanging: "-", coded: "-", active: "-", ended: "-" },
  "expireGrant, a year later": {
    none: "-",
    pending: "- > none",
    exchanging: "- > none",
    coded: "- > none",
    active: "- > none",
    ended: "- > none",
  },
  endGrant: {
    none: "-",
    pending: "- > ended",
    exchanging: "- > ended",
    coded: "- > ended",
    active: "- > ended",
    ended: "-",
  },
};

for (const event of Object.keys(EVENTS) as EventName[]) {
  for (const state of Object.keys(STATES) as StateName[]) {
    const expected = TABLE[event][state];
    test(`ST-06: ${event} on ${state}: ${expected}`, () => {
      const grant = STATES[state]();
      const { next, outcome } = EVENTS[event](grant);
      assert.equal(next === grant ? outcome : `${outcome} > ${next?.state ?? "none"}`, expected);
    });
  }
}

test("ST-06: no event changes the value it was given", () => {
  for (const make of Object.values(STATES)) {
    const grant = make();
    const before = JSON.stringify(grant);
    for (const event of Object.values(EVENTS)) event(grant);
    assert.equal(JSON.stringify(grant), before);
  }
});

test("ST-02: an ended grant holds no hash, no box, no person and no scope", () => {
  for (const make of [pending, exchanging, coded, active]) {
    const marker = endGrant(make(), "revoked");
    assert.deepEqual(Object.keys(marker).sort(), ["formExpiresAt", "reason", "state"]);
  }
});

test("ST-02: a claimed login holds neither secrets nor the sealed request any more", () => {
  assert.deepEqual(Object.keys(exchanging()).sort(), ["formExpiresAt", "loginExpiresAt", "state"]);
});
