// A day in the life, with the SDK's client: the four uses that the README documents.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { approve, Browser } from "../../fixtures/browser.ts";
import { ExampleClient, ToolError } from "../../fixtures/example-client.ts";
import { ADA, BORIS } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";

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

type Item = Readonly<Record<string, unknown>>;
const list = async (name: string, member: string, args: Record<string, unknown> = {}) => {
  const items = (await client.call(name, args))[member];
  assert.ok(Array.isArray(items), `${name}: ${member}`);
  return items as Item[];
};

test("TL-11: the catalogue is listed before anybody has signed in", async () => {
  const tools = await client.listTools();
  assert.equal(tools[0]?.name, "getEmails");
  assert.equal(stack.entra.requests.length, 0);
});

test("TL-11: daily summary: mail and meetings are read, the summary is mailed to oneself", async () => {
  const emails = await list("getEmails", "emails", { count: 20 });
  const unread = emails.filter(({ isRead }) => isRead === false);
  const events = await list("getCalendarEvents", "events", { days: 1, timeZone: "Europe/Zagreb" });
  const body = [
    ...unread.map(({ subject, sender }) => `${subject} from ${sender}`),
    ...events.map(({ subject }) => String(subject)),
  ];
  await client.call("sendEmail", { to: ADA.email, subject: "My day", body: body.join("\n"), contentType: "text" });
  const [sent] = stack.graph.sentMail(ADA);
  assert.equal(sent?.message.subject, "My day");
  const [copy] = await list("getEmails", "emails", { folder: "sent", count: 1 });
  assert.equal(copy?.subject, "My day");
});

test("TL-11: meeting coordination: a free half hour is found, and Boris is invited to it", async () => {
  const range = { startDateTime: "2026-12-01T08:00", endDateTime: "2026-12-01T18:00", timeZone: "Europe/Zagreb" };
  const schedules = await list("checkAvailability", "schedules", { schedules: [ADA.email, BORIS.email], ...range });
  const views = schedules.map(({ availabilityView }) => String(availabilityView));
  const slot = [...(views[0] ?? "")].findIndex((_digit, index) => views.every((view) => view[index] === "0"));
  assert.ok(slot >= 0, "nobody is ever free");
  const startTime = new Date(Date.parse("2026-12-01T08:00Z") + slot * 1_800_000).toISOString().slice(0, 16);
  const meeting = { subject: "Docks", startTime, durationMinutes: 30, timeZone: range.timeZone };
  const made = await client.call("createTeamsMeeting", {
    ...meeting,
    attendees: [{ address: BORIS.email }],
    options: { lobbyBypass: "organization" },
  });
  assert.match(String(made.joinUrl), /^https:\/\/teams\.microsoft\.com\//);
  assert.equal(made.optionsApplied, true);
  const events = await list("getCalendarEvents", "events", range);
  assert.ok(events.some(({ id, isOnlineMeeting }) => id === made.id && isOnlineMeeting === true));
});

test("TL-11: team update: the channel is found by name and gets a message of two lines", async () => {
  const teams = await list("listChannels", "teams");
  const team = teams.find(({ displayName }) => displayName === "Operations");
  const channels = await list("listChannels", "channels", { teamId: team?.id });
  const general = channels.find(({ displayName }) => displayName === "General");
  const mentions = [{ id: BORIS.oid, displayName: BORIS.name }];
  await client.call("sendTeamsMessage", {
    teamId: team?.id,
    channelId: general?.id,
    message: `Done:\n@${BORIS.name} has the keys`,
    mentions,
  });
  const { sent } = stack.graph.teamsMessages[0] ?? {};
  assert.deepEqual(sent?.body, { contentType: "html", content: `Done:<br><at id="0">${BORIS.name}</at> has the keys` });
});

test("TL-11: contact look-up: an address is found by the start of a name and written to", async () => {
  const [contact] = await list("getContacts", "contacts", { search: "Liam" });
  const [first] = (contact?.emailAddresses ?? []) as { address: string }[];
  await client.call("sendEmail", { to: [first?.address], subject: "Route", body: "<p>Hello Liam</p>" });
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
