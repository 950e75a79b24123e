// AP-03: the form is the request, sealed to a browser for ten minutes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { openApprovalForm, sealApprovalForm } from "../../src/oauth/approval-form.ts";
import type { AuthorizationRequest } from "../../src/oauth/grants.ts";
import { KEY_ONE, KEY_THREE, KEY_TWO } from "../environment.ts";
import { NOW, ORIGIN, PUBLIC_CLIENT } from "./context.ts";

const ring = await loadKeyRing(KEY_TWO, undefined);
const REQUEST: AuthorizationRequest = {
  clientId: PUBLIC_CLIENT.clientId,
  redirectUri: "https://app.example.com/callback",
  scopes: ["Mail.Read"],
  resource: ORIGIN,
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  state: "s",
};
const form = await sealApprovalForm(ring, REQUEST, "cookie", NOW);
const FORGED = { ok: false, error: "form_forged" };

test("AP-03: the form of another browser does not open", async () => {
  assert.deepEqual(await openApprovalForm(ring, form, "other cookie", NOW), FORGED);
});

test("AP-03: a form does not open with the key for tokens", async () => {
  assert.deepEqual(await openApprovalForm(await loadKeyRing(KEY_ONE, undefined), form, "cookie", NOW), FORGED);
});

test("AP-03: a form with any one character changed does not open", async () => {
  for (let index = 0; index < form.length; index += 7) {
    const other = form[index] === "A" ? "B" : "A";
    const changed = `${form.slice(0, index)}${other}${form.slice(index + 1)}`;
    assert.deepEqual(await openApprovalForm(ring, changed, "cookie", NOW), FORGED, `character ${index}`);
  }
});

test("AP-03: a form is over in its 600th second", async () => {
  const opened = await openApprovalForm(ring, form, "cookie", addSeconds(NOW, 600));
  assert.deepEqual(opened, { ok: false, error: "form_expired" });
});

test("AP-03: a form lives one second before that", async () => {
  assert.equal((await openApprovalForm(ring, form, "cookie", addSeconds(NOW, 599))).ok, true);
});

test("AP-03: the form of another browser is forged, also when it has expired", async () => {
  assert.deepEqual(await openApprovalForm(ring, form, "other cookie", addSeconds(NOW, 600)), FORGED);
});

test("AP-03: a form is the request that was shown", async () => {
  const opened = await openApprovalForm(ring, form, "cookie", NOW);
  assert.deepEqual(opened.ok && opened.value.request, REQUEST);
});

test("D-33: two forms of one request lead to two grants", async () => {
  const [one, two] = await Promise.all(
    [form, await sealApprovalForm(ring, REQUEST, "cookie", NOW)].map((box) =>
      openApprovalForm(ring, box, "cookie", NOW),
    ),
  );
  assert.ok(one?.ok && two?.ok && one.value.gid !== two.value.gid);
});

test("D-07: after a rotation the forms of the previous key still open", async () => {
  assert.equal((await openApprovalForm(await loadKeyRing(KEY_THREE, KEY_TWO), form, "cookie", NOW)).ok, true);
});
