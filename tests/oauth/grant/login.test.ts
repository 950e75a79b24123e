import assert from "node:assert/strict";
import { test } from "node:test";
import {
  FORM_LIFETIME_SECONDS,
  type Grant,
  LOGIN_LIFETIME_SECONDS,
  MAX_FAILURES,
} from "../../../src/oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../../../src/oauth/grant/login.ts";
import { after, box, CALLBACK, exchanging, freshLogin, login, pending, T } from "./life.ts";

test("AP-03: the second post of a form leads on to the first login and starts none", () => {
  const waiting = pending();
  const { next, outcome } = beginLogin(waiting, freshLogin(T, { loginBox: box("second"), stateHash: "second" }));
  assert.deepEqual([next, outcome], [waiting, { kind: "already_started", loginBox: box("login") }]);
});

test("D-46: form and login live for ten minutes", () => {
  assert.deepEqual([FORM_LIFETIME_SECONDS, LOGIN_LIFETIME_SECONDS], [600, 600]);
});

test("OA-15: a forged state claims nothing and counts for nothing", () => {
  const waiting = pending();
  const { next, outcome } = claimLogin(waiting, { ...CALLBACK, stateHash: "forged" }, T);
  assert.deepEqual([next, outcome], [waiting, { kind: "refused", reason: "login_unknown" }]);
});

test("OA-15: a forged state with a wrong cookie counts for nothing either", () => {
  const waiting = pending();
  assert.equal(claimLogin(waiting, { stateHash: "forged", loginCookieHash: "other" }, T).next, waiting);
});

test("OA-15: a login is over in the second of its expiry", () => {
  const { outcome } = claimLogin(pending(), CALLBACK, after(LOGIN_LIFETIME_SECONDS));
  assert.deepEqual(outcome, { kind: "refused", reason: "login_over" });
});

test("OA-15: a login lives one second before its expiry", () => {
  assert.equal(claimLogin(pending(), CALLBACK, after(LOGIN_LIFETIME_SECONDS - 1)).outcome.kind, "claimed");
});

test("OA-15: another browser with the right state is refused and leaves the login to its own", () => {
  const { next, outcome } = claimLogin(pending(), { ...CALLBACK, loginCookieHash: "other" }, T);
  assert.deepEqual(outcome, { kind: "refused", reason: "browser_mismatch" });
  assert.equal(claimLogin(next, CALLBACK, T).outcome.kind, "claimed");
});

test("OA-15: the form cookie does not pass for the login cookie", () => {
  const { outcome } = claimLogin(pending(), { ...CALLBACK, loginCookieHash: "form-cookie-hash" }, T);
  assert.equal(outcome.kind, "refused");
});

function afterWrongBrowsers(attempts: number): Grant | undefined {
  let grant: Grant | undefined = pending();
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    grant = claimLogin(grant, { ...CALLBACK, loginCookieHash: "other" }, T).next;
  }
  return grant;
}

test("OA-15: nine other browsers leave the login alive", () => {
  assert.equal(claimLogin(afterWrongBrowsers(MAX_FAILURES - 1), CALLBACK, T).outcome.kind, "claimed");
});

test("OA-15: the tenth other browser ends the login", () => {
  assert.equal(MAX_FAILURES, 10);
  assert.deepEqual(afterWrongBrowsers(MAX_FAILURES), {
    state: "ended",
    reason: "signin_failed",
    formExpiresAt: after(FORM_LIFETIME_SECONDS),
  });
});

test("OA-15: a claimed login hands out its box once", () => {
  const { next, outcome } = claimLogin(pending(), CALLBACK, T);
  assert.deepEqual(outcome, { kind: "claimed", loginBox: box("login") });
  assert.equal(claimLogin(next, CALLBACK, T).outcome.kind, "refused");
});

test("EN-02: a code comes into being unused, without failures, and with what was approved", () => {
  const done = login();
  assert.deepEqual(completeLogin(exchanging(), done).next, {
    state: "coded",
    formExpiresAt: after(FORM_LIFETIME_SECONDS),
    authorization: done.authorization,
    code: { ...done.code, failures: 0 },
  });
});
