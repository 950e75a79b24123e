import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import fc from "fast-check";
import type { ToolContext } from "../../src/tools/define.ts";
import { findTool } from "../../src/tools/index.ts";
import { compileKql, isBalanced, quoteSearch } from "../../src/tools/kql.ts";
import { folderSegment } from "../../src/tools/mail-folder.ts";
import { Lab, listOf, member } from "./lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

const REFUSED: readonly (readonly [tool: string, args: unknown, field: string])[] = [
  ["getEmails", { foo: 1 }, "foo"],
  ["getEmails", { count: 0 }, "count"],
  ["getEmails", { count: 51 }, "count"],
  ["getEmails", { count: 1.5 }, "count"],
  ["getEmails", { count: "3" }, "count"],
  ["getEmails", { folder: "" }, "folder"],
  ["getEmails", { folder: "../../users" }, "folder"],
  ["getEmails", { folder: "a/b" }, "folder"],
  ["getEmails", { maxBodyChars: 20_001 }, "maxBodyChars"],
  ["getEmails", { pageToken: "v1.x.y.z" }, "pageToken"],
  ["getEmails", { pageToken: "A".repeat(65_537) }, "pageToken"],
  ["getEmails", [], "arguments"],
  ["getEmails", "all", "arguments"],
  ["searchEmails", {}, "query"],
  ["searchEmails", { query: "  " }, "query"],
  ["searchEmails", { query: "x".repeat(1001) }, "query"],
  ["searchEmails", { query: 'say "hi' }, "query"],
  ["searchEmails", { query: "a) OR (b" }, "query"],
  ["searchEmails", { after: "02.03.2026" }, "after"],
  ["searchEmails", { after: "2026-02-30" }, "after"],
  ["searchEmails", { before: "2026-04-31" }, "before"],
  ["searchEmails", { before: "2026-13-01" }, "before"],
  ["searchEmails", { after: "2026-03-02T09:00" }, "after"],
  ["searchEmails", { from: '"' }, "from"],
  ["searchEmails", { to: ' \\" ' }, "to"],
  ["searchEmails", { from: "  " }, "from"],
  ["searchEmails", { from: "a\r\nBcc: b" }, "from"],
  ["searchEmails", { hasAttachments: "yes" }, "hasAttachments"],
  ["getEmail", {}, "id"],
  ["getEmail", { id: ".." }, "id"],
  ["getEmail", { id: "a", format: "rtf" }, "format"],
  ["replyToEmail", { id: "a" }, "body"],
  ["replyToEmail", { id: "a", body: "" }, "body"],
];

for (const [tool, args, field] of REFUSED) {
  test(`TL-14: ${tool} ${JSON.stringify(args).slice(0, 50)} is a validation result naming ${field}, and asks nothing`, async () => {
    const error = await lab.bad(tool, args);
    assert.deepEqual([error.type, error.field], ["validation_error", field]);
    assert.match(error.text, new RegExp(`^${tool} was not called: `));
    assert.equal(lab.asked.length, 0);
  });
}

test("TL-03: getEmails {} asks for the ten newest of the inbox, with text bodies and immutable ids", async () => {
  const { structured, text } = await lab.good("getEmails");
  const emails = listOf(structured, "emails");
  assert.equal(emails.length, 10);
  assert.deepEqual(JSON.parse(text), emails);
  const [asked] = lab.graph.requests;
  assert.equal(asked?.path, "/me/mailFolders/inbox/messages");
  assert.deepEqual([asked?.query.$top, asked?.query.$orderby], ["10", "receivedDateTime desc"]);
  assert.equal(asked?.headers.prefer, 'outlook.body-content-type="text", IdType="ImmutableId"');
  const times = emails.map(({ receivedDateTime }) => String(receivedDateTime));
  assert.deepEqual(times, [...times].sort().reverse());
});

test("TL-03: an item has Graph's from, a printable sender and a text body", async () => {
  const { structured } = await lab.good("getEmails", { count: 50 });
  for (const email of listOf(structured, "emails")) {
    const names = Object.keys(email).filter((name) => name !== "bodyTruncated");
    assert.deepEqual(names.sort(), [...ITEM].sort());
    assert.equal(typeof email.sender, "string");
    assert.equal(typeof email.body, "string");
    assert.ok(email.from === null || typeof member(email.from, "emailAddress", "address") === "string");
  }
});
// biome-ignore format: a list of names reads best filled
const ITEM = [
  "id", "conversationId", "subject", "from", "sender", "toRecipients", "receivedDateTime", "isRead", "hasAttachments",
  "importance", "bodyPreview", "body", "webLink",
];

const FOLDERS: readonly (readonly [said: string, meant: string])[] = [
  ["sent", "sentitems"],
  ["Sent Items", "sentitems"],
  ["DRAFT", "drafts"],
  ["trash", "deleteditems"],
  ["deleted", "deleteditems"],
  ["spam", "junkemail"],
  ["junk", "junkemail"],
  ["SentItems", "sentitems"],
  ["archive", "archive"],
  ["AQMkADid", "AQMkADid"],
  ["constructor", "constructor"],
  ["__proto__", "__proto__"],
];

for (const [said, meant] of FOLDERS) {
  test(`TL-03: the folder ${said} is ${meant}`, () => assert.equal(folderSegment(said), meant));
}

test("TL-03: `sent` reaches sentitems; a folder's own id works as well", async () => {
  await lab.good("getEmails", { folder: "sent" });
  assert.equal(lab.graph.requests.at(-1)?.path, "/me/mailFolders/sentitems/messages");
  const { id } =
    lab.graph.account((await import("../../fixtures/people.ts")).ADA).folders.find(({ key }) => key === "custom") ?? {};
  await lab.good("getEmails", { folder: id });
});

const BODIES: readonly (readonly [args: object, bodyChars: number, shownChars: number])[] = [
  [{}, 2000, 2000],
  [{}, 2001, 2000],
  [{ maxBodyChars: 0 }, 1, 0],
  [{ maxBodyChars: 20_000 }, 20_000, 20_000],
  [{ maxBodyChars: 20_000 }, 20_001, 20_000],
];

for (const [args, bodyChars, shownChars] of BODIES) {
  test(`TL-03: of a body of ${bodyChars} characters ${JSON.stringify(args)} shows ${shownChars}`, async () => {
    for (const [tool, more] of [
      ["getEmails", {}],
      ["searchEmails", { query: "x" }],
    ] as const) {
      lab.answers.push(() => Response.json({ value: [{ id: "1", body: { content: "x".repeat(bodyChars) } }] }));
      const [email] = listOf((await lab.good(tool, { ...args, ...more })).structured, "emails");
      assert.deepEqual(
        [String(email?.body).length, email?.bodyTruncated],
        [shownChars, bodyChars > shownChars ? true : undefined],
      );
    }
  });
}

for (const tool of ["getEmails", "searchEmails"]) {
  test(`TL-03 TL-04: ${tool} takes a count of 1 and of 50`, async () => {
    for (const count of [1, 50]) {
      await lab.good(tool, { count, ...(tool === "searchEmails" && { query: "x" }) });
      assert.equal(lab.graph.requests.at(-1)?.query.$top, String(count));
    }
  });
}

test("TL-04: a query of 1,000 characters is searched for whole", async () => {
  const query = "x".repeat(1000);
  await lab.good("searchEmails", { query });
  assert.equal(lab.graph.requests[0]?.query.$search, quoteSearch(query));
});

test("TL-17: a body of 50,000 characters is not clipped by its length, one of 50,001 is", () => {
  const present = (chars: number) =>
    findTool("getEmail")?.present([{ toRecipients: [], body: { content: "x".repeat(chars) } }], {}, {} as ToolContext)
      .structured as { body: string; bodyTruncated?: boolean };
  assert.deepEqual([present(50_000).body.length, present(50_000).bodyTruncated], [50_000, undefined]);
  assert.deepEqual([present(50_001).body.length, present(50_001).bodyTruncated], [50_000, true]);
});

test("TL-03: maxBodyChars clips bodies and says so", async () => {
  const { structured } = await lab.good("getEmails", { maxBodyChars: 5 });
  const clipped = listOf(structured, "emails").filter(({ bodyTruncated }) => bodyTruncated === true);
  assert.ok(clipped.length > 0 && clipped.every(({ body }) => String(body).length <= 5));
});

test("TL-12: three pages are walked to the end, each mail once", async () => {
  const seen: unknown[] = [];
  let args: Record<string, unknown> = { count: 5 };
  for (let page = 1; page <= 3; page += 1) {
    const { structured, texts } = await lab.good("getEmails", args);
    seen.push(...listOf(structured, "emails").map(({ id }) => id));
    assert.equal(typeof structured.nextPageToken, "string");
    assert.ok(texts[1]?.includes(String(structured.nextPageToken)));
    args = { count: 5, pageToken: structured.nextPageToken };
  }
  assert.deepEqual([seen.length, new Set(seen).size], [15, 15]);
});

test("TL-12: a page token with a flipped byte, of another tool, of another grant or after an hour is refused", async () => {
  const { structured } = await lab.good("getEmails", { count: 2 });
  const token = String(structured.nextPageToken);
  lab.graph.reset();
  const at = token.length - 10;
  const flipped = token.slice(0, at) + (token[at] === "A" ? "B" : "A") + token.slice(at + 1);
  assert.equal((await lab.bad("getEmails", { pageToken: flipped })).field, "pageToken");
  assert.equal((await lab.bad("searchEmails", { pageToken: token })).field, "pageToken");
  const other = await Lab.start({ gid: "BBBBBBBBBBBBBBBBBBBBBB" });
  assert.equal((await other.bad("getEmails", { pageToken: token })).field, "pageToken");
  await other.close();
  lab.nowMs += 3_600_000;
  assert.equal((await lab.bad("getEmails", { pageToken: token })).field, "pageToken");
  lab.nowMs -= 3_600_000;
  assert.equal(lab.asked.length, 0);
});

test("TL-12: no change to a page token passes, wherever it is made (property)", async () => {
  const { structured } = await lab.good("getEmails", { count: 2 });
  const token = String(structured.nextPageToken);
  lab.graph.reset();
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom(..."AZaz09-_.="), async (at, mark) => {
      fc.pre(token[at] !== mark);
      const error = await lab.bad("getEmails", { pageToken: token.slice(0, at) + mark + token.slice(at + 1) });
      assert.equal(error.field, "pageToken");
    }),
    { numRuns: 60 },
  );
  assert.equal(lab.asked.length, 0);
});

/** Whole pages of huge mails, of which each leads to a next one as Graph does it: with the search in its link. */
async function hugePage(args: object): Promise<{ token: string; bytes: number }> {
  lab.answers.push(({ inputs }) => {
    const value = Array.from({ length: 50 }, (_, index) => ({
      id: `${index}`,
      subject: "s".repeat(200),
      bodyPreview: "p".repeat(255),
      body: { content: "b".repeat(20_000) },
    }));
    const link = `https://graph.microsoft.com${inputs.path}&$skiptoken=${"x".repeat(200)}`;
    return Response.json({ value, "@odata.nextLink": link });
  });
  const outcome = await lab.outcome({ name: "searchEmails", arguments: { count: 50, maxBodyChars: 20_000, ...args } });
  assert.ok(outcome.kind === "done");
  const { structuredContent } = outcome.result as { structuredContent: { nextPageToken: string; emails: unknown[] } };
  assert.ok(structuredContent.emails?.length > 0, JSON.stringify(structuredContent).slice(0, 300));
  return { token: structuredContent.nextPageToken, bytes: Buffer.byteLength(JSON.stringify(outcome.result)) };
}

const LONG_SEARCHES: readonly (readonly [what: string, args: object])[] = [
  ["1,000 letters of three bytes", { query: "漢".repeat(1000) }],
  [
    "1,000 letters of three bytes from and to 320",
    { query: "漢".repeat(1000), from: "字".repeat(320), to: "字".repeat(320) },
  ],
  ["1,000 letters of three bytes in such a folder", { query: "漢".repeat(1000), folder: "字".repeat(1000) }],
  ["500 pairs of quotes", { query: '"'.repeat(1000) }],
  ["one word", { query: "budget" }],
];

for (const [what, args] of LONG_SEARCHES) {
  test(`TL-12 TL-15: after a search for ${what} the token is accepted and the result fits, on both pages`, async () => {
    const first = await hugePage(args);
    assert.ok(first.bytes <= 100_000, `${first.bytes} bytes`);
    const second = await hugePage({ ...args, pageToken: first.token });
    assert.ok(second.bytes <= 100_000, `${second.bytes} bytes`);
    lab.answers.push(() => Response.json({ value: [] }));
    await lab.good("searchEmails", { pageToken: second.token });
  });
}

test("TL-12: a page token is accepted until one second before its hour is over", async () => {
  const { structured } = await lab.good("getEmails", { count: 2 });
  lab.nowMs += 3_599_000;
  await lab.good("getEmails", { pageToken: structured.nextPageToken });
  lab.nowMs -= 3_599_000;
});

test("GW-10: a next link that leads elsewhere ends the paging with a warning", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "foreign-next-link" });
  const { structured, texts } = await lab.good("getEmails", { count: 2 });
  assert.deepEqual([structured.nextPageToken, texts.length], [undefined, 1]);
  assert.ok(lab.events.some(({ level, code }) => level === "WARN" && code === "next_link_foreign"));
});

const SEARCHES: readonly (readonly [args: object, kql: string])[] = [
  [{ query: 'subject:"a b"' }, 'subject:"a b"'],
  [{ query: "budget", from: "freya@contoso.example" }, '(budget) AND from:"freya@contoso.example"'],
  [{ from: 'x" OR subject:"y' }, 'from:"x  OR subject: y"'],
  [{ to: "a\\b" }, 'to:"a b"'],
  [{ after: "2026-01-01", before: "2026-02-01" }, "received>=2026-01-01 AND received<2026-02-01"],
  [{ hasAttachments: false }, "hasAttachments:false"],
  [{ query: "a OR b", hasAttachments: true }, "(a OR b) AND hasAttachments:true"],
];

for (const [args, kql] of SEARCHES) {
  test(`TL-04: ${JSON.stringify(args)} searches for ${kql}`, async () => {
    await lab.good("searchEmails", args);
    const { query, path } = lab.graph.requests.at(-1) ?? {};
    assert.equal(query?.$search, quoteSearch(kql));
    assert.equal(path, "/me/messages");
    assert.deepEqual(Object.keys(query ?? {}).sort(), ["$search", "$select", "$top"]);
  });
}

test("TL-04: a folder narrows the search; items are those of getEmails; pages go on", async () => {
  await lab.good("searchEmails", { query: "the", folder: "Sent" });
  assert.equal(lab.graph.requests.at(-1)?.path, "/me/mailFolders/sentitems/messages");
  const first = await lab.good("searchEmails", { after: "2020-01-01", count: 3 });
  assert.deepEqual(
    Object.keys(listOf(first.structured, "emails")[0] ?? {})
      .filter((name) => name !== "bodyTruncated")
      .sort(),
    [...ITEM].sort(),
  );
  const second = await lab.good("searchEmails", { count: 3, pageToken: first.structured.nextPageToken });
  assert.equal(listOf(second.structured, "emails").length, 3);
});

const KQL = fc.string({ maxLength: 60 });

test("TL-04: no text ends the clause that it is quoted in (property)", () => {
  fc.assert(
    fc.property(KQL, (kql) => {
      const quoted = quoteSearch(kql);
      assert.match(quoted, /^"(?:[^"\\]|\\[\\"])*"$/s);
      assert.equal(quoted.slice(1, -1).replace(/\\(.)/gs, "$1"), kql);
    }),
  );
});

test("TL-04: a filter's value stays inside its quotes (property)", () => {
  fc.assert(
    fc.property(KQL, KQL, (from, to) => {
      const kql = compileKql({ from, to });
      assert.match(kql, /^from:"[^"\\]*" AND to:"[^"\\]*"$/s);
    }),
  );
});

test("TL-04: a query that is let through leaves the filters their place (property)", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('"', "(", ")", "a", " ", ":"), maxLength: 30 }), (query) => {
      fc.pre(isBalanced(query) && query.trim() !== "");
      const kql = compileKql({ query, hasAttachments: true });
      // Outside phrases, the filter stands at depth zero.
      const outside = kql.replace(/"[^"]*"/g, "");
      assert.ok(outside.endsWith(") AND hasAttachments:true") && isBalanced(kql));
    }),
  );
});

test("TL-17: getEmail takes an id of getEmails and gives recipients, body and attachments without content", async () => {
  const { structured } = await lab.good("getEmails", { count: 50 });
  const email = listOf(structured, "emails").find(({ hasAttachments }) => hasAttachments);
  const full = (await lab.good("getEmail", { id: email?.id })).structured;
  const [attachment] = listOf(full, "attachments");
  assert.deepEqual(Object.keys(attachment ?? {}).sort(), ["contentType", "id", "isInline", "name", "size"]);
  for (const name of ["toRecipients", "ccRecipients", "bccRecipients", "replyTo"]) listOf(full, name);
  assert.equal(full.id, email?.id);
  assert.equal(lab.graph.requests.at(-1)?.headers.prefer, 'outlook.body-content-type="text", IdType="ImmutableId"');
  await lab.good("getEmail", { id: email?.id, format: "html" });
  assert.equal(lab.graph.requests.at(-1)?.headers.prefer, 'outlook.body-content-type="html", IdType="ImmutableId"');
});

test("TL-17: a stale id is not found, with advice to list again", async () => {
  const { structured } = await lab.good("getEmails", { count: 1 });
  const id = String(listOf(structured, "emails")[0]?.id);
  const error = await lab.bad("getEmail", { id: `${id.slice(0, 60)}${"A".repeat(id.length - 62)}==` });
  assert.equal(error.type, "graph_not_found");
  assert.match(error.text, /List it again/);
});

test("TL-19: replyToEmail sends one comment as HTML whose lines are kept", async () => {
  const { structured } = await lab.good("getEmails", { count: 1 });
  const id = listOf(structured, "emails")[0]?.id;
  const { text } = await lab.good("replyToEmail", { id, body: "Thanks & bye,\nAda" });
  assert.equal(text, "Reply sent");
  assert.deepEqual(lab.lastBody(), { comment: "Thanks &amp; bye,<br>Ada" });
  assert.match(lab.graph.requests.at(-1)?.path ?? "", /\/reply$/);
  await lab.good("replyToEmail", { id, body: "<b>All</b>", replyAll: true });
  assert.match(lab.graph.requests.at(-1)?.path ?? "", /\/replyAll$/);
  assert.deepEqual(lab.lastBody(), { comment: "<b>All</b>" });
});

test("TL-19: a reply that answers 504 was perhaps sent, and is not sent again", async () => {
  const { structured } = await lab.good("getEmails", { count: 1 });
  lab.graph.fault({ method: "POST" }, { kind: "timeout-after-execution" });
  const error = await lab.bad("replyToEmail", { id: listOf(structured, "emails")[0]?.id, body: "x" });
  assert.deepEqual([error.type, error.status, error.retryable], ["graph_timeout", 504, false]);
  assert.match(error.text, /may have been done.*check before repeating/);
  assert.equal(lab.graph.requests.filter(({ method }) => method === "POST").length, 1);
});
