import assert from "node:assert/strict";
import { test } from "node:test";
import type { GraphScope } from "../../src/graph/scopes.ts";
import { grantedScopes, presetScope, readScope } from "../../src/oauth/scope.ts";

const CATALOGUE: readonly GraphScope[] = ["User.Read", "Mail.Read", "Mail.Send", "Calendars.ReadWrite"];

for (const scope of [
  "Files.Read",
  "mail.read",
  "Mail.Read,Mail.Send",
  "Files.Read offline_access",
  "Mail",
  "constructor",
]) {
  test(`OA-11: "${scope}" names nothing that is known`, () => {
    assert.deepEqual(readScope(scope, CATALOGUE), []);
  });
}

const READ: readonly (readonly [what: string, scope: string | undefined, scopes: readonly string[] | undefined])[] = [
  ["no scope leaves it open", undefined, undefined],
  ["blanks leave it open", "  ", undefined],
  ["openid alone leaves it open", "openid", undefined],
  ["the neutral names together leave it open", "openid profile email offline_access", undefined],
  ["one name is that name", "Mail.Send", ["Mail.Send"]],
  ["a neutral name adds nothing", "openid Mail.Send", ["Mail.Send"]],
  ["an unknown name is dropped", "Mail.Send Files.Read", ["Mail.Send"]],
  ["names come in catalogue order, once", "Mail.Send  User.Read Mail.Send", ["User.Read", "Mail.Send"]],
  ["a wider name is narrowed to the catalogue's (D-15)", "Mail.ReadWrite", ["Mail.Read"]],
  ["a wider name of the catalogue stays", "Calendars.ReadWrite", ["Calendars.ReadWrite"]],
];

for (const [what, scope, scopes] of READ) {
  test(`OA-11: ${what}`, () => assert.deepEqual(readScope(scope, CATALOGUE), scopes));
}

test("OA-11: Microsoft giving more than was asked widens nothing", () => {
  assert.deepEqual(grantedScopes(["Mail.Read"], ["Mail.Read", "Mail.Send", "Files.Read"]), ["Mail.Read"]);
});

test("OA-11: what Microsoft did not give is not granted", () => {
  assert.deepEqual(grantedScopes(["User.Read", "Mail.Send"], ["openid", "User.Read"]), ["User.Read"]);
});

test("D-15: Microsoft giving X.ReadWrite grants X.Read", () => {
  assert.deepEqual(grantedScopes(["Calendars.Read"], ["Calendars.ReadWrite"]), ["Calendars.Read"]);
});

test("D-15: Microsoft giving X.Read does not grant X.ReadWrite", () => {
  assert.deepEqual(grantedScopes(["Calendars.ReadWrite"], ["Calendars.Read"]), []);
});

test("OA-11: Microsoft giving nothing grants nothing", () => assert.deepEqual(grantedScopes(CATALOGUE, [""]), []));

for (const preset of [undefined, "full"]) {
  test(`OA-12: scope_preset=${preset} leaves it open`, () => {
    assert.equal(readScope(presetScope(preset), CATALOGUE), undefined);
  });
}

for (const preset of ["constructor", "toString", "EMAIL", "mail"]) {
  test(`OA-12: scope_preset=${preset} is no preset and nothing, never everything`, () => {
    assert.deepEqual(readScope(presetScope(preset), CATALOGUE), []);
  });
}

for (const [preset, scope] of [
  ["minimal", "User.Read"],
  ["email", "Mail.Read Mail.Send"],
  ["calendar", "Calendars.Read Calendars.ReadWrite"],
  ["teams", "ChannelMessage.Send OnlineMeetings.ReadWrite Team.ReadBasic.All Channel.ReadBasic.All"],
] as const) {
  test(`OA-12: scope_preset=${preset} asks for those scopes alone`, () => assert.equal(presetScope(preset), scope));
}
