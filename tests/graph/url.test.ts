import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isPlainSegment, isSafeSegment, readNextLink, writeGraphPath } from "../../src/graph/url.ts";

const GRAPH = "https://graph.microsoft.com";

const REFUSED = [
  "",
  ".",
  "..",
  "a/b",
  "../../users",
  "..\\..",
  "a?b",
  "a#b",
  "%2e%2e",
  "a%2Fb",
  "a\u0000",
  "\ud800",
  `AAkALg${"a".repeat(40)}\udc00`,
  "a/".repeat(513),
  "a\nb",
  "x".repeat(1025),
];

for (const segment of REFUSED) {
  test(`GW-10: ${JSON.stringify(segment.slice(0, 12))} is no segment of a path`, () => {
    assert.equal(isSafeSegment(segment), false);
    assert.throws(() => writeGraphPath("v1.0", { segments: ["me", segment] }), /unsafe segment/);
  });
}

test("GW-10: half a surrogate pair in a query is replaced, as every UTF-8 encoder does, and throws nothing", () => {
  const query = [["$search", '"\ud83d"']] as const;
  assert.equal(writeGraphPath("v1.0", { segments: ["me"], query }), "/v1.0/me?$search=%22%EF%BF%BD%22");
});

test("GW-10: an Outlook id may hold a slash, which is encoded and separates nothing", () => {
  const id = `AAkALg${"a+/B".repeat(30)}==`;
  assert.deepEqual([isSafeSegment(id), isPlainSegment(id)], [true, false]);
  const path = writeGraphPath("v1.0", { segments: ["me", "messages", id] });
  assert.equal(path.split("/").length, 5);
  assert.equal(decodeURIComponent(path.split("/")[4] ?? ""), id);
});

test("GW-10: every safe segment is encoded once and stays one segment (property)", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 60 }), (segment) => {
      fc.pre(isSafeSegment(segment) && segment.isWellFormed());
      const url = new URL(GRAPH + writeGraphPath("v1.0", { segments: ["me", segment, "end"] }));
      const parts = url.pathname.split("/");
      assert.deepEqual([parts.length, decodeURIComponent(parts[3] ?? ""), parts[4]], [5, segment, "end"]);
    }),
  );
});

test("Graph query options: a value comes out of the URL as it went in (property)", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (value) => {
      const url = new URL(GRAPH + writeGraphPath("v1.0", { segments: ["me"], query: [["$search", value]] }));
      assert.ok(!url.search.includes("+"));
      assert.equal(decodeURIComponent(url.search.slice("?$search=".length)), value);
    }),
  );
});

test("GW-10: a next link is followed on the Graph origin and version path, as path and query", () => {
  assert.deepEqual(readNextLink(`${GRAPH}/v1.0/me/messages?$skip=10`, GRAPH, "v1.0"), {
    link: "/v1.0/me/messages?$skip=10",
  });
});

const FOREIGN = [
  "https://graph.attacker.example/v1.0/me",
  "http://graph.microsoft.com/v1.0/me",
  "https://graph.microsoft.com:444/v1.0/me",
  "https://graph.microsoft.com.attacker.example/v1.0/me",
  "https://u@graph.microsoft.com/v1.0/me",
  "https://u:p@graph.microsoft.com/v1.0/me",
  "https://graph.microsoft.com/beta/me",
  "https://graph.microsoft.com/v1.0/../beta/me",
  "https://graph.microsoft.com/v1.0",
  "/v1.0/me",
  "//graph.attacker.example/v1.0/me",
  "javascript:alert(1)",
  "",
];

for (const link of FOREIGN) {
  test(`GW-10: ${JSON.stringify(link)} is not followed`, () => {
    assert.equal(readNextLink(link, GRAPH, "v1.0"), undefined);
  });
}

test("GW-10: whatever a next link is, it leads to Graph or nowhere (property)", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.webUrl(),
        fc.string(),
        fc.string().map((text) => GRAPH + text),
      ),
      (link) => {
        const read = readNextLink(link, GRAPH, "v1.0");
        if (read === undefined || !("link" in read)) return;
        const url = new URL(GRAPH + read.link);
        assert.ok(url.origin === GRAPH && url.pathname.startsWith("/v1.0/"));
      },
    ),
  );
});
