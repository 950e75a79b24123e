import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fitList, fitOne } from "../../src/tools/budget.ts";

const MAX_BYTES = 96_000;
const bytes = (value: unknown) => Buffer.byteLength(JSON.stringify(value));
const mails = (count: number, bodyChars: number) =>
  Array.from({ length: count }, (_, index) => ({ id: String(index), body: "x".repeat(bodyChars) }));

test("TL-15: what fits is shown as pretty JSON, whole", () => {
  const emails = mails(2, 10);
  const { result, kept } = fitList("emails", { emails }, emails);
  assert.equal(kept, 2);
  assert.equal(result.content[0]?.text, JSON.stringify(emails, null, 2));
  assert.deepEqual(result.structuredContent, { emails });
});

test("TL-15: fifty huge mails keep their number and lose length first", () => {
  const emails = mails(50, 20_000);
  const { result, kept } = fitList("emails", { emails }, emails);
  const shown = result.structuredContent.emails as { body: string; bodyTruncated?: boolean }[];
  assert.equal(kept, 50);
  assert.ok(shown.every(({ body, bodyTruncated }) => body.length === 500 && bodyTruncated === true));
  assert.ok(bytes(result) <= MAX_BYTES);
});

test("TL-15: then items go from the end, counted and with advice", () => {
  const events = Array.from({ length: 100 }, (_, index) => ({ id: String(index), subject: "x".repeat(2000) }));
  const { result, kept } = fitList("events", { events }, events);
  assert.ok(kept > 15 && kept < 50 && bytes(result) <= MAX_BYTES + 500, `${kept} kept`);
  assert.deepEqual([result.structuredContent.truncated, result.structuredContent.omitted], [true, 100 - kept]);
  assert.deepEqual(
    (result.structuredContent.events as typeof events).map(({ id }) => id),
    events.slice(0, kept).map(({ id }) => id),
  );
  assert.match(result.content[1]?.text ?? "", new RegExp(`^${100 - kept} more did not fit`));
});

test("TL-15: an item that is too large alone leaves an empty list and no endless loop", () => {
  const events = [{ id: "1", subject: "x".repeat(200_000) }];
  const { result, kept } = fitList("events", { events }, events);
  assert.deepEqual([kept, result.structuredContent.omitted], [0, 1]);
});

test("TL-15: one mail is clipped until it fits, without cutting a character in two", () => {
  const result = fitOne({ id: "1", body: "😀".repeat(50_000) }, undefined);
  const { body, bodyTruncated } = result.structuredContent as { body: string; bodyTruncated?: boolean };
  assert.ok(bytes(result) <= MAX_BYTES && body.length > 23_000 && bodyTruncated === true && body.isWellFormed());
});

const BODIES: readonly (readonly [what: string, body: string, leastChars: number])[] = [
  ["47,000 characters", "x".repeat(47_000), 47_000],
  ["48,000 characters", "x".repeat(48_000), 47_000],
  ["50,000 characters", "x".repeat(50_000), 47_000],
  ["30,000 letters of two bytes", "ž".repeat(30_000), 23_500],
  ["50,000 quotation marks", '"'.repeat(50_000), 15_500],
  ["what takes most bytes first", "\u0001".repeat(7500) + "x".repeat(42_500), 7000],
  ["nothing but what takes most bytes", "\u0001".repeat(50_000), 7000],
  ["what takes most bytes last", "x".repeat(42_500) + "\u0001".repeat(7500), 43_000],
];

for (const [what, body, leastChars] of BODIES) {
  test(`TL-17 TL-15: of a body of ${what} as much is shown as fits`, () => {
    const result = fitOne({ id: "1", body }, undefined);
    const shown = result.structuredContent as { body: string; bodyTruncated?: boolean };
    assert.ok(bytes(result) <= MAX_BYTES && shown.body.length >= leastChars, `${shown.body.length} shown`);
    assert.deepEqual(
      [body.startsWith(shown.body), shown.bodyTruncated ?? false],
      [true, shown.body.length < body.length],
    );
  });
}

test("TL-15: a body beside a long list gets the room that the list leaves; where there is none, the list gives way", () => {
  const toRecipients = Array.from({ length: 400 }, (_, number) => ({ address: `person${number}@contoso.example` }));
  const { body } = fitOne({ body: "x".repeat(50_000), toRecipients }, undefined).structuredContent;
  assert.ok(String(body).length > 20_000, `${String(body).length} shown`);
  const all = Array.from({ length: 10 }, () => toRecipients).flat();
  const result = fitOne({ body: "x".repeat(50_000), toRecipients: all }, undefined);
  const shown = result.structuredContent as { body: string; toRecipients: unknown[]; omitted: number };
  assert.ok(shown.body === "" && shown.toRecipients.length > 400 && bytes(result) <= MAX_BYTES);
  assert.equal(shown.toRecipients.length + shown.omitted, all.length);
});

test("TL-15: one thing whose list gives way is still shown as that thing, and says what is missing", () => {
  const teams = Array.from({ length: 2000 }, (_, index) => ({ id: String(index), displayName: "x".repeat(100) }));
  const { content, structuredContent } = fitOne({ teams, note: "n" }, undefined);
  assert.deepEqual(JSON.parse(content[0]?.text ?? ""), structuredContent);
  assert.deepEqual([structuredContent.note, structuredContent.truncated], ["n", true]);
  assert.ok(bytes({ content, structuredContent }) <= MAX_BYTES);
});

test("TL-15 TL-12: room is left for the longer of the two places that a page token may be made of, not for both", () => {
  const emails = mails(50, 20_000);
  for (const chars of [100, 10_000, 20_000, 30_000]) {
    const place = "x".repeat(chars);
    const { result, kept } = fitList("emails", { emails }, emails, [place, place]);
    const tokenBytes = 2 * (4 / 3) * chars;
    assert.ok(kept > 5 && bytes(result) + tokenBytes <= 100_000, `${kept} kept, ${bytes(result)} bytes for ${chars}`);
  }
});

test("TL-17: a body that only fits without indentation is shown, not dropped", () => {
  const toRecipients = Array.from({ length: 400 }, (_, number) => ({
    emailAddress: { name: `Person ${number}`, address: `person${number}@contoso.example` },
  }));
  const { body } = fitOne({ body: "x".repeat(3000), toRecipients }, undefined).structuredContent;
  assert.ok(String(body).length > 2000, `${String(body).length} shown`);
});

test("TL-15: whatever the items are, a list fits (property)", () => {
  const item = fc.record({ id: fc.string(), body: fc.string({ maxLength: 40, unit: "binary" }), n: fc.nat(200) });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 60 }), (seeds) => {
      const emails = seeds.map(({ id, body, n }) => ({ id, body: body.repeat(n) }));
      const { result, kept } = fitList("emails", { emails }, emails);
      assert.ok(bytes(result) <= MAX_BYTES + 500 && kept <= emails.length);
    }),
    { numRuns: 60 },
  );
});
