// A day in the life, with the SDK's client: the four uses that the README documents.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { approve, Browser } from "../../fixtures/browser.ts";
import { coordinateMeeting, dailySummary, dateIn, updateTeam, writeToContact } from "../../fixtures/day.ts";
import { ExampleClient, ToolError } from "../../fixtures/example-client.ts";
import { ADA, BORIS } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";

const ZONE = "Europe/Zagreb";

let stack: Stack;
let client: ExampleClient;

before(async () => {
  stack = await startStack();
  const browser = new Browser();
  client = await ExampleClient.connect({
    serverUrl: `${stack.url}/mcp`,
    redirectUrl: "http://127.0.0.1:33418/callback",
    signIn: (authorizeUrl) => approve(browser, authorizeUrl.href),
  });
});
after(async () => {
  await client.close();
  await stack.dispose();
});

test("TL-11: the catalogue is listed before anybody has signed in", async () => {
  const tools = await client.listTools();
  assert.equal(tools[0]?.name, "getEmails");
  assert.equal(stack.entra.requests.length, 0);
});

test("TL-11: call gives an array for a tool that lists, and from prints as an address", async () => {
  const emails = await client.call("getEmails", { count: 3 });
  assert.equal(emails.length, 3);
  for (const { from } of emails) assert.match(`${from}`, /^[^\s<>@]+@[^\s<>@]+$/);
  assert.equal(emails[0]?.sender, `${BORIS.name} <${emails[0]?.from}>`);
});

test("TL-11: daily summary: mail and meetings are read, the summary is mailed to oneself", async () => {
  const body = await dailySummary(client, ADA, ZONE);
  assert.match(body, /^Today:\n(.+\n)*09:15 Stand-up\n/);
  assert.match(body, /\nUnread:\nAccess review: three names still open \(boris\.lindqvist@contoso\.example\)\n/);
  const [sent] = stack.graph.sentMail(ADA);
  assert.equal(sent?.message.subject, "My day");
  const [copy] = await client.call("getEmails", { folder: "sent", count: 1 });
  assert.equal(copy?.subject, "My day");
});

test("TL-11: meeting coordination: a free half hour is found, and Boris is invited to it", async () => {
  const date = dateIn(ZONE, 1);
  const made = await coordinateMeeting(client, { me: ADA, guests: [BORIS], date, timeZone: ZONE });
  // Ada is at the dentist until a quarter to nine, and her stand-up is from a quarter past nine to half past.
  assert.equal(made.startTime, `${date}T09:30`);
  assert.match(String(made.joinUrl), /^https:\/\/teams\.microsoft\.com\//);
  assert.deepEqual([made.invited, made.optionsApplied], [1, true]);
  const range = { startDateTime: `${date}T08:00`, endDateTime: `${date}T18:00`, timeZone: ZONE };
  const event = (await client.call("getCalendarEvents", range)).find(({ id }) => id === made.id);
  assert.deepEqual([event?.isOnlineMeeting, event?.start.dateTime.slice(0, 16)], [true, made.startTime]);
});

test("TL-11: team update: the channel is found by name and gets a message of two lines", async () => {
  await updateTeam(client, { team: "Operations", channel: "General", mentioned: BORIS });
  const { sent } = stack.graph.teamsMessages[0] ?? {};
  assert.deepEqual(sent?.body, { contentType: "html", content: `Done:<br><at id="0">${BORIS.name}</at> has the keys` });
});

test("TL-11: contact look-up: an address is found by the start of a name and written to", async () => {
  assert.equal(await writeToContact(client, "Liam"), "liam.obrien@northwind.example");
  assert.equal(stack.graph.sentMail(ADA).length, 2);
});

test("TL-11: what a person can mend comes back as a sentence", async () => {
  await assert.rejects(client.call("sendEmail", { to: "Liam", subject: "x", body: "y" }), (error) => {
    assert.ok(error instanceof ToolError);
    assert.match(error.message, /to at 0 must be an email address/);
    return true;
  });
});

test("TL-11: the gateway has the whole day in its log, with who and why, and nothing went past it", () => {
  assert.ok(stack.gateway.log.length >= 11);
  for (const { metadata } of stack.gateway.log) {
    assert.deepEqual([metadata.userId, metadata.userEmail], [ADA.oid, ADA.email]);
    assert.equal(typeof metadata.mcpTool, "string");
  }
  assert.deepEqual(stack.trespasses, []);
});
