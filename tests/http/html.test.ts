import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { escapeHtml, html } from "../../src/http/html.ts";

test("AP-04: & < > and both quotes are escaped", () => {
  assert.equal(escapeHtml(`&<>"'`), "&amp;&lt;&gt;&quot;&#39;");
});

test("AP-04: text never brings markup into a page, whatever it is", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."<>&\"'/=a;#x ") }), (text) => {
      const { text: page } = html`<p title="${text}">${text}</p>`;
      const [, title = "", content = ""] = /^<p title="([^"<>]*)">([^<>"']*)<\/p>$/.exec(page) ?? [];
      const read = (escaped: string) =>
        escaped
          .replaceAll("&lt;", "<")
          .replaceAll("&gt;", ">")
          .replaceAll("&quot;", '"')
          .replaceAll("&#39;", "'")
          .replaceAll("&amp;", "&");
      assert.deepEqual([read(title), read(content)], [text, text]);
    }),
  );
});

test("AP-04: what was escaped once is not markup the second time", () => {
  assert.equal(html`${"&lt;b&gt;"}`.text, "&amp;lt;b&amp;gt;");
});

test("AP-04: an object that looks like markup is not taken for it", () => {
  // What JSON could bring in the place of a text.
  const forged = { text: "<script>" } as unknown as string;
  assert.throws(() => html`${forged}`, TypeError);
});

test("markup stays markup inside markup", () =>
  assert.equal(html`<ul>${html`<li>${"<"}</li>`}</ul>`.text, "<ul><li>&lt;</li></ul>"));

test("a list of markup is joined", () => assert.equal(html`${[html`<i>`, html`<b>`]}`.text, "<i><b>"));

test("nothing is shown for undefined and digits for numbers", () => assert.equal(html`a${undefined}b${0}`.text, "ab0"));
