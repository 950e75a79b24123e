import assert from "node:assert/strict";
import { test } from "node:test";
import { completeHeaders } from "../../src/http/headers.ts";
import { json, jsonError, redirect } from "../../src/http/responses.ts";

function completed(kind: "api" | "public-document" | "page", isHttps = true, given: Record<string, string> = {}) {
  const headers = new Headers(given);
  completeHeaders(headers, kind, "id-1", isHttps);
  return headers;
}

const EVERYWHERE: readonly (readonly [name: string, value: string])[] = [
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
  ["Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"],
  ["X-Request-Id", "id-1"],
  ["Strict-Transport-Security", "max-age=31536000"],
];

for (const [name, value] of EVERYWHERE) {
  test(`CS-03: every answer has ${name}`, () => {
    for (const kind of ["api", "public-document", "page"] as const) assert.equal(completed(kind).get(name), value);
  });
}

for (const kind of ["api", "page"] as const) {
  test(`CS-03: an answer of kind ${kind} is not stored`, () =>
    assert.equal(completed(kind).get("Cache-Control"), "no-store"));
}

test("CS-03: a public document may be stored", () =>
  assert.equal(completed("public-document").get("Cache-Control"), null));

test("CS-02: no promise of https is made over plain http", () => {
  assert.equal(completed("api", false).get("Strict-Transport-Security"), null);
});

test("AP-05: what a page says about itself stays", () => {
  const own = { "Referrer-Policy": "same-origin", "Content-Security-Policy": "default-src 'none'" };
  const headers = completed("page", true, own);
  assert.deepEqual([headers.get("Referrer-Policy"), headers.get("Content-Security-Policy")], Object.values(own));
});

test("LG-02: a handler cannot send another request id", () => {
  assert.equal(completed("api", true, { "X-Request-Id": "forged" }).get("X-Request-Id"), "id-1");
});

test("EP-14: an error is JSON with a code, a sentence and the request id", async () => {
  const answer = jsonError(404, "not_found", "There is nothing here.", "id-1", { Allow: "GET" });
  assert.deepEqual(
    [answer.status, answer.headers.get("Content-Type"), answer.headers.get("Allow"), await answer.json()],
    [
      404,
      "application/json",
      "GET",
      { error: "not_found", error_description: "There is nothing here.", requestId: "id-1" },
    ],
  );
});

test("an answer is JSON", async () => assert.deepEqual(await json(200, { a: 1 }).json(), { a: 1 }));

test("a redirect has no body", async () => {
  const answer = redirect(302, "https://a.example/");
  assert.deepEqual([answer.headers.get("Location"), await answer.text()], ["https://a.example/", ""]);
});
