import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { ADA } from "../../fixtures/people.ts";
import { Lab, listOf, member } from "./lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

const GOOD = { to: ["boris.lindqvist@contoso.example"], subject: "Docks", body: "Dock 4 is free." };
const file = (bytes: number) => ({
  name: "a.bin",
  contentType: "application/octet-stream",
  contentBytes: Buffer.alloc(bytes).toString("base64"),
});
const addresses = (count: number) => Array.from({ length: count }, (_, index) => `p${index}@contoso.example`);

const REFUSED: readonly (readonly [why: string, changes: object, field: string])[] = [
  ["nobody", { to: [] }, "to"],
  ["no to", { to: undefined }, "to"],
  ["a name for an address", { to: ["Boris"] }, "to"],
  ["a display name", { to: ["Boris <boris@contoso.example>"] }, "to"],
  ["a line break in an address", { to: ["boris@contoso.example\r\nBcc: x@y.example"] }, "to"],
  ["a bad cc", { cc: ["x"] }, "cc"],
  ["an array in the array", { to: [["boris@contoso.example"]] }, "to"],
  ["501 addresses", { to: addresses(250), cc: addresses(251) }, "to"],
  ["no subject", { subject: undefined }, "subject"],
  ["a subject of 256 characters", { subject: "x".repeat(256) }, "subject"],
  ["a line break in the subject", { subject: "a\nb" }, "subject"],
  ["no body", { body: undefined }, "body"],
  ["a body of 150,001 characters", { body: "x".repeat(150_001) }, "body"],
  ["an unknown format", { contentType: "markdown" }, "contentType"],
  ["an unknown importance", { importance: "urgent" }, "importance"],
  ["an unknown property", { sender: "x" }, "sender"],
  ["a data prefix", { attachments: [{ name: "a", contentBytes: "data:text/plain;base64,aGk=" }] }, "attachments"],
  ["line breaks in base64", { attachments: [{ name: "a", contentBytes: "aGVs\nbG8=" }] }, "attachments"],
  ["base64url", { attachments: [{ name: "a", contentBytes: "a_-=" }] }, "attachments"],
  ["padding in the middle", { attachments: [{ name: "a", contentBytes: "aG==aGk=" }] }, "attachments"],
  ["no content", { attachments: [{ name: "a", contentBytes: "" }] }, "attachments"],
  ["no file name", { attachments: [{ contentBytes: "aGk=" }] }, "attachments"],
  ["3.1 MB", { attachments: [file(3_100_000)] }, "attachments"],
  ["a byte over 3 MB in two files", { attachments: [file(1_500_000), file(1_500_001)] }, "attachments"],
  ["a request over 4 MiB", { attachments: [file(3_000_000)], body: "č".repeat(150_000) }, "attachments"],
];

for (const [why, changes, field] of REFUSED) {
  test(`TL-01 TL-02: ${why} is a validation result naming ${field}, and nothing is sent`, async () => {
    const error = await lab.bad("sendEmail", { ...GOOD, ...changes });
    assert.deepEqual([error.type, error.field], ["validation_error", field]);
    assert.equal(lab.asked.length, 0);
    if (why.includes("MB")) assert.match(error.text, /3 MB.*link/);
  });
}

test("TL-01: an email is sent once, and the text names its recipients", async () => {
  const { text, structured } = await lab.good("sendEmail", { ...GOOD, to: ["a@contoso.example", "b@contoso.example"] });
  assert.equal(text, "Email sent successfully to a@contoso.example, b@contoso.example");
  assert.deepEqual(structured, { sent: true, recipients: 2 });
  const [mail] = lab.graph.sentMail(ADA);
  assert.equal(listOf(mail?.message ?? {}, "toRecipients").length, 2);
  assert.equal(lab.asked.length, 1);
});

test("TL-01: contentType, importance, saveToSentItems, cc and bcc arrive", async () => {
  await lab.good("sendEmail", {
    ...GOOD,
    cc: ["c@contoso.example"],
    bcc: ["d@contoso.example"],
    contentType: "text",
    importance: "high",
    saveToSentItems: false,
  });
  const [mail] = lab.graph.sentMail(ADA);
  assert.equal(mail?.savedToSentItems, false);
  assert.deepEqual(
    [member(mail?.message, "importance"), member(mail?.message, "body", "contentType")],
    ["high", "text"],
  );
  assert.equal(
    listOf(mail?.message ?? {}, "ccRecipients").length + listOf(mail?.message ?? {}, "bccRecipients").length,
    2,
  );
});

test("TL-01: html is the format without contentType", async () => {
  await lab.good("sendEmail", GOOD);
  assert.equal(member(lab.graph.sentMail(ADA)[0]?.message, "body", "contentType"), "html");
});

for (const to of [
  "a@contoso.example; b@contoso.example",
  "a@contoso.example,b@contoso.example",
  ["a@contoso.example;b@contoso.example"],
]) {
  test(`TL-01: to may be ${JSON.stringify(to)}`, async () => {
    await lab.good("sendEmail", { ...GOOD, to });
    assert.equal(listOf(lab.graph.sentMail(ADA)[0]?.message ?? {}, "toRecipients").length, 2);
  });
}

test("TL-02: 3 MB of attachments pass, typed as Graph wants them", async () => {
  await lab.good("sendEmail", { ...GOOD, attachments: [file(2_999_995), { name: "b.txt", contentBytes: "aGVsbG8=" }] });
  const sent = listOf(lab.graph.sentMail(ADA)[0]?.message ?? {}, "attachments");
  assert.deepEqual(
    sent.map((one) => one["@odata.type"]),
    Array(2).fill("#microsoft.graph.fileAttachment"),
  );
});

for (const kind of ["internal-error", "timeout-after-execution", "unavailable", "bad-gateway-html"] as const) {
  test(`RL-02: a send that meets ${kind} is not sent again, and is said to be unsure`, async () => {
    lab.graph.fault({ method: "POST" }, { kind });
    const error = await lab.bad("sendEmail", GOOD);
    assert.equal(lab.asked.length, 1);
    assert.equal(error.retryable, false);
    assert.match(error.text, /may have been done.*check before repeating/);
  });
}

test("ER-04: 202 with Retry-After is success and not sent again", async () => {
  lab.graph.fault({ method: "POST" }, { kind: "success-with-retry-after", seconds: 1 });
  await lab.good("sendEmail", GOOD);
  assert.equal(lab.graph.sentMail(ADA).length, 1);
});

test("ER-02: 403 names the scope that sending needs, and the way to it", async () => {
  lab.graph.fault({ method: "POST" }, { kind: "missing-scope" });
  const error = await lab.bad("sendEmail", GOOD);
  assert.deepEqual([error.type, error.scope, error.status], ["graph_forbidden", "Mail.Send", 403]);
  assert.match(error.text, /Mail\.Send.*Azure Portal, app registration, API permissions, grant admin consent/);
});

test("LG-07: nothing of a mail is in the log", async () => {
  await lab.good("sendEmail", {
    ...GOOD,
    subject: "Secret subject",
    attachments: [{ name: "secret.txt", contentBytes: "aGVsbG8=" }],
  });
  const log = JSON.stringify(lab.events);
  for (const word of ["Secret subject", "secret.txt", "boris", "Dock 4"]) assert.ok(!log.includes(word), word);
});
