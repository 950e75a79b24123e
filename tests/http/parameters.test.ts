import assert from "node:assert/strict";
import { test } from "node:test";
import { readForm, readParameters } from "../../src/http/parameters.ts";

const FORM = "application/x-www-form-urlencoded";

function post(body: BodyInit | null, contentType: string | null): Request {
  const headers: Record<string, string> = contentType === null ? {} : { "Content-Type": contentType };
  const request = new Request("https://mcp.example.com/token", { method: "POST", body, headers });
  // A text body brings a type of its own.
  if (contentType === null) request.headers.delete("Content-Type");
  return request;
}

const REPEATED: readonly (readonly [what: string, query: string, name: string])[] = [
  ["sent twice", "a=1&state=1&state=2", "state"],
  ["sent twice with the same value", "state=1&state=1", "state"],
  ["sent once empty and once not", "state=&state=1", "state"],
  ["sent twice in other spellings of one name", "st%61te=1&state=2", "state"],
];

for (const [what, query, name] of REPEATED) {
  test(`RFC 6749 §3.1: a parameter ${what} is refused by name`, () => {
    const read = readParameters(new URLSearchParams(query));
    assert.deepEqual(!read.ok && [read.error.reason, read.error.name], ["parameter_repeated", name]);
  });
}

test("OA-18: a refusal carries the parameters that stood there once, and not the repeated one", () => {
  const read = readParameters(new URLSearchParams("client_id=a&state=1&state=2"));
  assert.deepEqual(!read.ok && { ...read.error.single }, { client_id: "a" });
});

test("RFC 6749 §3.1: a parameter without a value counts as omitted", () => {
  const read = readParameters(new URLSearchParams("scope=&state=1"));
  assert.deepEqual(read.ok && { ...read.value }, { state: "1" });
});

for (const name of ["__proto__", "constructor", "toString"]) {
  test(`a parameter called ${name} is a parameter like any other`, () => {
    const read = readParameters(new URLSearchParams([[name, "1"]]));
    assert.equal(read.ok && read.value[name], "1");
  });
}

test("what nobody sent is not there, whatever every object has", () => {
  const read = readParameters(new URLSearchParams("a=1"));
  assert.equal(read.ok && read.value.constructor, undefined);
});

for (const contentType of [null, "application/json", "text/plain", "multipart/form-data; boundary=x", `${FORM}x`, ""]) {
  test(`OA-14: a form sent as ${contentType ?? "nothing"} is refused`, async () => {
    const read = await readForm(post("a=1", contentType), 100);
    assert.deepEqual(read, { ok: false, error: { reason: "form_content_type" } });
  });
}

for (const contentType of [FORM, `${FORM};charset=UTF-8`, `${FORM} ; charset=utf-8`, FORM.toUpperCase()]) {
  test(`RFC 6749 §3.2: a form sent as ${contentType} is read`, async () => {
    const read = await readForm(post("a=1&b=%C3%A4+%2B", contentType), 100);
    assert.deepEqual(read.ok && { ...read.value }, { a: "1", b: "ä +" });
  });
}

test("RFC 6749 §3.2: a form over its bound is refused", async () => {
  assert.deepEqual(await readForm(post("a=12345678", FORM), 9), { ok: false, error: { reason: "body_too_large" } });
});

test("RFC 6749 Appendix B: a form that is not UTF-8 is malformed", async () => {
  const read = await readForm(post(Uint8Array.of(0x61, 0x3d, 0xff), FORM), 100);
  assert.deepEqual(read, { ok: false, error: { reason: "form_malformed" } });
});

test("OA-18: a repeated parameter of a form is refused", async () => {
  const read = await readForm(post("code=1&code=2", FORM), 100);
  assert.equal(!read.ok && read.error.reason, "parameter_repeated");
});
