import assert from "node:assert/strict";
import { test } from "node:test";
import { cookieName, readCookie, setCookie } from "../../src/http/cookies.ts";

const UNREAD: readonly (readonly [what: string, header: string | null])[] = [
  ["no header", null],
  ["an empty header", ""],
  ["a longer name that ends alike", "x-form=1"],
  ["a longer name that begins alike", "form-x=1"],
  ["the name in the value of another", "a=form; b=2"],
  ["the name without a value", "form"],
  ["another case", "FORM=1"],
  ["a value inside the value of another", "a=1,form=2"],
];

for (const [what, header] of UNREAD) {
  test(`RFC 6265bis §5.4: ${what} is not the cookie`, () => assert.equal(readCookie(header, "form"), undefined));
}

const READ: readonly (readonly [what: string, header: string, value: string])[] = [
  ["alone", "form=1", "1"],
  ["between others", "a=0; form=1; b=2", "1"],
  ["without blanks", "a=0;form=1;b=2", "1"],
  ["with an equals sign in its value", "form=a=b==", "a=b=="],
  ["empty", "form=", ""],
  ["the first of two", "form=1; form=2", "1"],
];

for (const [what, header, value] of READ) {
  test(`RFC 6265bis §5.4: a cookie ${what} is read`, () => assert.equal(readCookie(header, "form"), value));
}

test("AP-01: over https a cookie is __Host-, HttpOnly, Secure, Path=/, SameSite=Lax and names no domain", () => {
  assert.equal(setCookie("form", "v", 60, true), "__Host-form=v; HttpOnly; Secure; Path=/; SameSite=Lax; Max-Age=60");
});

test("AP-01: over plain http on loopback the prefix and Secure are left out, the rest stays", () => {
  assert.equal(setCookie("form", "v", 60, false), "form=v; HttpOnly; Path=/; SameSite=Lax; Max-Age=60");
});

test("AP-01: what is set under a name is read under it", () => {
  const [pair = ""] = setCookie("form", "v", 60, true).split(";");
  assert.equal(readCookie(pair, cookieName("form", true)), "v");
});

test("AP-01: over https a cookie without the prefix is not ours", () => {
  assert.equal(readCookie("form=v", cookieName("form", true)), undefined);
});
