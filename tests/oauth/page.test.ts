import assert from "node:assert/strict";
import { test } from "node:test";
import { html } from "../../src/http/html.ts";
import { errorPage, page } from "../../src/oauth/page.ts";

const OPTIONS = { status: 200, title: "A title", body: html`<p>x</p>`, requestId: "6f0a2d4e" };

test("AP-05: every cookie is a field of its own", () => {
  const { headers } = page({ ...OPTIONS, cookies: ["a=1; Path=/", "b=2; Path=/"] });
  assert.deepEqual(headers.getSetCookie(), ["a=1; Path=/", "b=2; Path=/"]);
});

test("AP-05: a page without a form leads nowhere and tells nobody where it was", () => {
  const { headers } = page(OPTIONS);
  assert.match(headers.get("Content-Security-Policy") ?? "", /; form-action 'none'$/);
  assert.equal(headers.get("Referrer-Policy"), "no-referrer");
});

test("AP-04: title and request id are text", async () => {
  const text = await page({ ...OPTIONS, title: "</title><b>", requestId: "<i>" }).text();
  assert.doesNotMatch(text, /<b>|<i>/);
});

test("EP-13: a page for everybody names no request", async () => {
  const { requestId: _, ...rest } = OPTIONS;
  assert.doesNotMatch(await page(rest).text(), /Request id/);
  assert.match(await page(OPTIONS).text(), /Request id: 6f0a2d4e/);
});

for (const [accept, type] of [
  ["application/json", "application/json"],
  ["text/html,*/*;q=0.8", "text/html; charset=utf-8"],
  ["*/*", "text/html; charset=utf-8"],
  [undefined, "text/html; charset=utf-8"],
] as const) {
  test(`CS-03: an error for Accept ${accept} is ${type} and says the same`, async () => {
    const request = new Request("https://m365.contoso.example/authorize", { headers: accept ? { accept } : {} });
    const answer = errorPage(request, 403, "Nothing was approved", "This form was already used.", "6f0a2d4e");
    assert.equal(answer.status, 403);
    assert.equal(answer.headers.get("Content-Type"), type);
    const text = await answer.text();
    assert.ok(text.includes("This form was already used.") && text.includes("6f0a2d4e"));
  });
}
