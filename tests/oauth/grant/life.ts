import assert from "node:assert/strict";
import { ADA } from "../../../fixtures/people.ts";
import { addSeconds, type EpochSeconds, epochSeconds } from "../../../src/core/time.ts";
import type { Box } from "../../../src/crypto/box.ts";
import type { GraphScope } from "../../../src/graph/scopes.ts";
import { type Redemption, redeemCode } from "../../../src/oauth/grant/code.ts";
import { endGrant } from "../../../src/oauth/grant/end.ts";
import {
  ACCESS_LIFETIME_SECONDS,
  type Active,
  type Authorization,
  CODE_LIFETIME_SECONDS,
  type Coded,
  type Ended,
  type Exchanging,
  FORM_LIFETIME_SECONDS,
  GRANT_LIFETIME_SECONDS,
  type Grant,
  LOGIN_LIFETIME_SECONDS,
  type Pending,
  REFRESH_IDLE_SECONDS,
} from "../../../src/oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../../../src/oauth/grant/login.ts";
import { type Rotation, rotateRefresh } from "../../../src/oauth/grant/refresh.ts";

/** Now, for everything below that does not say otherwise. */
export const T: EpochSeconds = epochSeconds(1_800_000_000_000);
export const SCOPES: readonly GraphScope[] = ["Mail.Read", "Mail.Send"];
export const RESOURCE = "https://mcp.example.com";

export function after(seconds: number): EpochSeconds {
  return addSeconds(T, seconds);
}

export function box(name: string): Box {
  return `v1.box.of.${name}` as Box;
}

/** What a POST of the form would store: as fresh as its moment. */
export function freshLogin(now = T, changes: Partial<Pending> = {}): Pending {
  return {
    state: "pending",
    formExpiresAt: after(FORM_LIFETIME_SECONDS),
    loginExpiresAt: addSeconds(now, LOGIN_LIFETIME_SECONDS),
    stateHash: "state-hash",
    formCookieHash: "form-cookie-hash",
    loginCookieHash: "login-cookie-hash",
    wrongBrowsers: 0,
    loginBox: box("login"),
    ...changes,
  };
}

export function authorization(changes: Partial<Authorization> = {}): Authorization {
  const { tid, oid, name, email } = ADA;
  return {
    clientId: "client",
    redirectUri: "https://app.example.com/callback",
    resource: RESOURCE,
    scopes: SCOPES,
    person: { tid, oid, name, email },
    accessIdentity: null,
    createdAt: T,
    expiresAt: after(GRANT_LIFETIME_SECONDS),
    ...changes,
  };
}

export function login(now = T) {
  const code = { hash: "code-hash", challenge: "challenge", expiresAt: addSeconds(now, CODE_LIFETIME_SECONDS) };
  return { authorization: authorization(), code };
}

export const CALLBACK = { stateHash: "state-hash", loginCookieHash: "login-cookie-hash" };

/** A good token request; names tell first-drawn tokens from later ones. */
export function redemption(now = T, changes: Partial<Redemption> = {}): Redemption {
  return {
    codeHash: "code-hash",
    clientId: "client",
    redirectUri: "https://app.example.com/callback",
    isResourceAccepted: (granted) => granted === RESOURCE,
    computedChallenge: "challenge",
    accessHash: "access-0",
    accessExpiresAt: addSeconds(now, ACCESS_LIFETIME_SECONDS),
    refreshHash: "refresh-0",
    refreshExpiresAt: addSeconds(now, REFRESH_IDLE_SECONDS),
    ...changes,
  };
}

export function rotation(refreshHash: string, number: number, now = T, changes: Partial<Rotation> = {}): Rotation {
  return {
    refreshHash,
    clientId: "client",
    isResourceAccepted: (granted) => granted === RESOURCE,
    scopes: undefined,
    accessHash: `access-${number}`,
    accessExpiresAt: addSeconds(now, ACCESS_LIFETIME_SECONDS),
    successorHash: `refresh-${number}`,
    successorExpiresAt: addSeconds(now, REFRESH_IDLE_SECONDS),
    successorBox: box(`refresh-${number}`),
    ...changes,
  };
}

// One grant in every state, made by the events themselves.

export function pending(): Pending {
  return checked(beginLogin(undefined, freshLogin()).next, "pending");
}

export function exchanging(): Exchanging {
  return checked(claimLogin(pending(), CALLBACK, T).next, "exchanging");
}

export function coded(): Coded {
  return checked(completeLogin(exchanging(), login()).next, "coded");
}

/** Redeemed and refreshed `rotations` times, a second apart: holds `refresh-<rotations>`. */
export function active(rotations = 0): Active {
  let grant: Grant | undefined = redeemCode(coded(), redemption(), T).next;
  for (let number = 1; number <= rotations; number += 1) {
    grant = rotateRefresh(grant, rotation(`refresh-${number - 1}`, number, after(number)), after(number)).next;
  }
  return checked(grant, "active");
}

export function ended(): Ended {
  return endGrant(active(), "revoked");
}

function checked<State extends Grant["state"]>(
  grant: Grant | undefined,
  state: State,
): Extract<Grant, { state: State }> {
  assert.equal(grant?.state, state);
  return grant as Extract<Grant, { state: State }>;
}
