import assert from "node:assert/strict";
import { test } from "node:test";
import { isJsonObject, MAX_JSON_DEPTH, parseJson } from "../../src/core/json.ts";

for (const text of ["", "{", "undefined", "{'a':1}", "[1,]", "\u0000", "NaN"]) {
  test(`RFC 8259: ${JSON.stringify(text)} is malformed`, () => {
    assert.deepEqual(parseJson(text), { ok: false, error: "json_malformed" });
  });
}

function nested(levels: number): string {
  return `${"[".repeat(levels)}${"]".repeat(levels)}`;
}

test("RFC 8259 §9: arrays nested far over the bound are refused without a stack overflow", () => {
  assert.deepEqual(parseJson(nested(50_000)), { ok: false, error: "json_too_complex" });
});

test("RFC 8259 §9: one level over the bound is refused", () => {
  assert.deepEqual(parseJson(nested(MAX_JSON_DEPTH + 1)), { ok: false, error: "json_too_complex" });
});

test("RFC 8259 §9: objects nested over the bound are refused", () => {
  const levels = MAX_JSON_DEPTH + 1;
  const text = `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
  assert.deepEqual(parseJson(text), { ok: false, error: "json_too_complex" });
});

test("RFC 8259 §9: one deep member among many shallow ones is found", () => {
  const text = `{"a":1,"b":[{},{},${nested(MAX_JSON_DEPTH)}],"c":"${"x".repeat(200)}"}`;
  assert.deepEqual(parseJson(text), { ok: false, error: "json_too_complex" });
});

test("RFC 8259 §9: nesting at the bound passes", () => assert.equal(parseJson(nested(MAX_JSON_DEPTH)).ok, true));

test("EP-16: a million empty objects are refused before they are built", () => {
  assert.deepEqual(parseJson(`[${"{},".repeat(1_000_000)}{}]`), { ok: false, error: "json_too_complex" });
});

test("a quote behind backslashes ends a string only where they come in pairs", () => {
  const deep = nested(MAX_JSON_DEPTH);
  assert.deepEqual(parseJson(`["\\\\",${deep}]`), { ok: false, error: "json_too_complex" });
  assert.equal(parseJson(JSON.stringify([`\\"${"[".repeat(200)}`])).ok, true);
});

test("brackets inside a string are no nesting", () =>
  assert.equal(parseJson(JSON.stringify("[".repeat(500))).ok, true));

for (const value of [null, [], "text", 1, true, undefined]) {
  test(`${JSON.stringify(value) ?? "undefined"} is no JSON object`, () => assert.equal(isJsonObject(value), false));
}

test("{} is a JSON object", () => assert.equal(isJsonObject({}), true));
