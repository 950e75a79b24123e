// OA-20: who is not the operator, before any grant is looked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { revokePerson } from "../../src/oauth/operator.ts";
import { fakeContext } from "./context.ts";

test("OA-20: where no operator token is set nobody is the operator, not even who presents nothing", async () => {
  const context = fakeContext({ path: "/operator/revoke", init: { method: "POST", body: "{}" } });
  assert.equal((await revokePerson(context)).status, 401);
});

test("LG-03: a wrong operator token is a warning, so that LOG_LEVEL=WARN does not hide it", async () => {
  const context = fakeContext({ path: "/operator/revoke", init: { method: "POST", body: "{}" } });
  await revokePerson(context);
  const [event] = context.events;
  assert.deepEqual(
    [event?.level, event?.message, event?.code],
    ["WARN", "OAuth request refused", "operator_token_wrong"],
  );
});
