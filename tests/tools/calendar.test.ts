import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { ADA } from "../../fixtures/people.ts";
import { Lab, listOf, member, NOW } from "./lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

const EVENT = {
  subject: "Docks",
  startDateTime: "2026-03-04T09:00",
  endDateTime: "2026-03-04T09:30",
  timeZone: "Europe/Zagreb",
};

const MEETING = { subject: "x", durationMinutes: 5 };

const SLOTS = { schedules: ["a@contoso.example"], startDateTime: "2026-03-04", endDateTime: "2026-03-05" };

const REFUSED: readonly (readonly [tool: string, args: object, field: string])[] = [
  ["getCalendarEvents", { days: 31 }, "days"],
  ["getCalendarEvents", { days: 0 }, "days"],
  ["getCalendarEvents", { timeZone: "Mars/Phobos" }, "timeZone"],
  ["getCalendarEvents", { startDateTime: "tomorrow" }, "startDateTime"],
  ["getCalendarEvents", { startDateTime: "2026-03-05", endDateTime: "2026-03-04" }, "endDateTime"],
  ["getCalendarEvents", { endDateTime: "2026-03-01" }, "endDateTime"],
  ["getCalendarEvents", { startDateTime: "2026-01-01", endDateTime: "2027-01-03" }, "endDateTime"],
  ["createCalendarEvent", { ...EVENT, subject: undefined }, "subject"],
  ["createCalendarEvent", { ...EVENT, startDateTime: undefined }, "startDateTime"],
  ["createCalendarEvent", { ...EVENT, endDateTime: "2026-03-04T08:30" }, "endDateTime"],
  [
    "createCalendarEvent",
    { ...EVENT, startDateTime: "2026-03-29T02:15", endDateTime: "2026-03-29T04:00" },
    "startDateTime",
  ],
  [
    "createCalendarEvent",
    { ...EVENT, startDateTime: { dateTime: "2026-03-04T09:00", timeZone: { toString: 1 } } },
    "startDateTime",
  ],
  ["createCalendarEvent", { ...EVENT, attendees: ["Boris"] }, "attendees"],
  ["createCalendarEvent", { ...EVENT, attendees: Array(501).fill("a@contoso.example") }, "attendees"],
  ["createCalendarEvent", { ...EVENT, reminderMinutesBeforeStart: 40_321 }, "reminderMinutesBeforeStart"],
  [
    "createCalendarEvent",
    { ...EVENT, startDateTime: { dateTime: "2026-03-04T09:00", timeZone: "X" } },
    "startDateTime",
  ],
  ["createCalendarEvent", { ...EVENT, startDateTime: { dateTime: "2026-03-04T09:00", zone: "UTC" } }, "startDateTime"],
  ["getCalendarEvents", { start: "2026-03-04", startDateTime: "2026-03-04" }, "start"],
  ["createTeamsMeeting", { ...MEETING, start: "2026-03-04T09:00", startDateTime: "2026-03-04T10:00" }, "startDateTime"],
  ["createTeamsMeeting", { ...MEETING, startDateTime: "2026-03-04T10:00", start: "2026-03-04T09:00" }, "start"],
  ["createTeamsMeeting", { ...MEETING, startTime: "2026-03-04T09:00", start: "2026-03-04T09:00" }, "start"],
  ["createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00" }, "endTime"],
  ["createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00", durationMinutes: 1441 }, "durationMinutes"],
  ["createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00", durationMinutes: 0 }, "durationMinutes"],
  ["createCalendarEvent", { ...EVENT, reminderMinutesBeforeStart: -1 }, "reminderMinutesBeforeStart"],
  [
    "checkAvailability",
    { schedules: ["a@contoso.example"], startDateTime: "2026-03-04", endDateTime: "2026-03-05", intervalMinutes: 1441 },
    "intervalMinutes",
  ],
  ["createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00", endTime: "2026-03-04T08:00" }, "endTime"],
  [
    "createTeamsMeeting",
    { subject: "x", startTime: "2026-03-04T09:00", durationMinutes: 5, options: { lobby: 1 } },
    "options",
  ],
  ["checkAvailability", { schedules: [], startDateTime: "2026-03-04", endDateTime: "2026-03-05" }, "schedules"],
  [
    "checkAvailability",
    { schedules: Array(21).fill("a@contoso.example"), startDateTime: "2026-03-04", endDateTime: "2026-03-05" },
    "schedules",
  ],
  [
    "checkAvailability",
    { schedules: ["a@contoso.example"], startDateTime: "2026-03-04", endDateTime: "2026-03-19" },
    "endDateTime",
  ],
  [
    "checkAvailability",
    { schedules: ["a@contoso.example"], startDateTime: "2026-03-04", endDateTime: "2026-03-05", intervalMinutes: 4 },
    "intervalMinutes",
  ],
  ["updateCalendarEvent", { id: "a" }, "id"],
  ["updateCalendarEvent", { id: "a", startDateTime: "soon" }, "startDateTime"],
  ["respondToEvent", { id: "a", response: "maybe" }, "response"],
];

for (const [tool, args, field] of REFUSED) {
  test(`TL-14: ${tool} ${JSON.stringify(args).slice(0, 70)} is a validation result naming ${field}`, async () => {
    const error = await lab.bad(tool, args);
    assert.deepEqual([error.type, error.field], ["validation_error", field]);
    assert.equal(lab.asked.length, 0);
  });
}

const ACCEPTED: readonly (readonly [row: string, tool: string, args: object])[] = [
  ["TL-05", "getCalendarEvents", { days: 1 }],
  ["TL-05", "getCalendarEvents", { days: 30 }],
  ["TL-05", "getCalendarEvents", { startDateTime: "2026-01-01", endDateTime: "2027-01-02" }],
  ["TL-06", "createCalendarEvent", { ...EVENT, reminderMinutesBeforeStart: 40_320 }],
  ["TL-06", "createCalendarEvent", { ...EVENT, attendees: Array(500).fill("a@contoso.example") }],
  ["TL-08", "createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00", durationMinutes: 1 }],
  ["TL-08", "createTeamsMeeting", { subject: "x", startTime: "2026-03-04T09:00", durationMinutes: 1440 }],
  ["TL-18", "checkAvailability", { ...SLOTS, schedules: Array(20).fill("a@contoso.example") }],
  ["TL-18", "checkAvailability", { ...SLOTS, endDateTime: "2026-03-18" }],
  ["TL-18", "checkAvailability", { ...SLOTS, intervalMinutes: 5 }],
  ["TL-18", "checkAvailability", { ...SLOTS, intervalMinutes: 1440 }],
];

for (const [row, tool, args] of ACCEPTED) {
  test(`${row}: ${tool} takes ${JSON.stringify(args).slice(-70)}`, async () => {
    await lab.good(tool, args);
    assert.equal(lab.asked.length, 1);
  });
}

test("TL-05: without arguments the next seven days, in UTC", async () => {
  await lab.good("getCalendarEvents");
  const { path, query, headers } = lab.graph.requests[0] ?? {};
  assert.equal(path, "/me/calendarView");
  assert.deepEqual([query?.startDateTime, query?.endDateTime], ["2026-03-02T09:00:00Z", "2026-03-09T09:00:00Z"]);
  assert.deepEqual([query?.$orderby, query?.$top], ["start/dateTime", "50"]);
  assert.equal(headers?.prefer, 'outlook.timezone="UTC", IdType="ImmutableId"');
});

test("TL-05: {days:14}, and a range that wins over days, in the zone that was named", async () => {
  await lab.good("getCalendarEvents", { days: 14 });
  assert.equal(lab.graph.requests[0]?.query.endDateTime, "2026-03-16T09:00:00Z");
  await lab.good("getCalendarEvents", {
    days: 3,
    start: "2026-07-01T00:00",
    end: "2026-07-02T00:00+02:00",
    timeZone: "Europe/Zagreb",
  });
  const { query, headers } = lab.graph.requests[1] ?? {};
  assert.deepEqual([query?.startDateTime, query?.endDateTime], ["2026-06-30T22:00:00Z", "2026-07-01T22:00:00Z"]);
  assert.match(headers?.prefer ?? "", /outlook\.timezone="Europe\/Zagreb"/);
});

test("TL-05: events come in order, in the zone, with the members that are promised", async () => {
  const { structured, text } = await lab.good("getCalendarEvents", { days: 14, timeZone: "Europe/Zagreb" });
  const events = listOf(structured, "events");
  assert.deepEqual(JSON.parse(text), events);
  const starts = events.map(({ start }) => String(member(start, "dateTime")));
  assert.deepEqual(starts, [...starts].sort());
  // biome-ignore format: a list reads best filled
  const names = ["id", "subject", "start", "end", "isAllDay", "location", "organizer", "attendees", "isOnlineMeeting", "onlineMeeting",
    "showAs", "responseStatus", "bodyPreview", "webLink"];
  for (const event of events) assert.deepEqual(Object.keys(event).sort(), names.sort());
  assert.ok(events.some(({ onlineMeeting }) => String(member(onlineMeeting, "joinUrl")).startsWith("https://teams")));
});

test("TL-05 TL-12: a long range is read page by page; the rest is for nextPageToken, and no date is lost", async () => {
  const args = { startDateTime: "2026-03-02", endDateTime: "2027-03-01" };
  const seen: unknown[] = [];
  let pageToken: unknown;
  let calls = 0;
  do {
    const { structured } = await lab.good("getCalendarEvents", {
      ...args,
      ...(pageToken !== undefined && { pageToken }),
    });
    const events = listOf(structured, "events");
    assert.ok(events.length > 0 && events.length <= 250);
    seen.push(...events.map(({ id }) => id));
    pageToken = structured.nextPageToken;
    calls += 1;
  } while (pageToken !== undefined && calls < 30);
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(seen.length > 250, `${seen.length} dates`);
});

test("TL-05: a page that cannot be had leaves those before it and the way to go on", async () => {
  lab.answers.push(
    () => small(50),
    () => new Response("{}", { status: 500 }),
  );
  const { structured } = await lab.good("getCalendarEvents", {
    startDateTime: "2026-03-02",
    endDateTime: "2027-03-01",
  });
  assert.equal(listOf(structured, "events").length, 50);
  assert.equal(typeof structured.nextPageToken, "string");
});

test("GW-10: a next link that leads elsewhere ends the paging with one warning", async () => {
  const link = "https://graph.attacker.example/v1.0/me/calendarView?$skip=50";
  lab.answers.push(() => Response.json({ value: [{ id: "1" }], "@odata.nextLink": link }));
  const { structured } = await lab.good("getCalendarEvents");
  assert.deepEqual([listOf(structured, "events").length, structured.nextPageToken], [1, undefined]);
  const codes = lab.events.map((event) => ("code" in event ? event.code : undefined));
  assert.deepEqual(codes.filter(Boolean), ["next_link_foreign"]);
});

test("TL-05: at most five pages and 250 events, then nextPageToken; what did not fit comes first there", async () => {
  for (let page = 0; page < 5; page += 1) lab.answers.push(() => small(50, page * 50));
  const args = { startDateTime: "2026-03-02", endDateTime: "2027-03-01" };
  const { structured, texts } = await lab.good("getCalendarEvents", args);
  const events = listOf(structured, "events");
  assert.ok(events.length > 50 && events.length <= 250, String(events.length));
  assert.ok(lab.calls.length > 1 && lab.calls.length <= 5);
  assert.deepEqual([structured.truncated, structured.omitted], [true, lab.calls.length * 50 - events.length]);
  lab.answers.length = 0;
  assert.match(texts.at(-1) ?? "", /did not fit: go on with pageToken/);
  const page = Math.floor(events.length / 50);
  lab.answers.push(() => small(50, page * 50));
  lab.answers.push(() => new Response("{}", { status: 500 }));
  const rest = await lab.good("getCalendarEvents", { pageToken: structured.nextPageToken });
  assert.equal(listOf(rest.structured, "events")[0]?.id, String(events.length));
});

/** A page of events of which five pages fit into a result. */
function small(count: number, first = 0): Response {
  const value = Array.from({ length: count }, (_, index) => ({ id: String(first + index) }));
  return Response.json({ value, "@odata.nextLink": "https://graph.microsoft.com/v1.0/me/calendarView?$skip=50" });
}

test("TL-06: an event as Graph wants it: wall times with zone, attendees, provider, transactionId", async () => {
  const { text, structured } = await lab.good("createCalendarEvent", {
    ...EVENT,
    body: "Bring\nthe lists",
    location: "Room 1",
    attendees: ["boris.lindqvist@contoso.example", { address: "c@contoso.example", name: "C", type: "optional" }],
    isOnlineMeeting: true,
    reminderMinutesBeforeStart: 0,
  });
  const { transactionId, ...sent } = lab.graph.createdEvents(ADA)[0]?.sent ?? {};
  assert.deepEqual(sent, {
    subject: "Docks",
    body: { contentType: "text", content: "Bring\nthe lists" },
    location: { displayName: "Room 1" },
    attendees: [
      { emailAddress: { address: "boris.lindqvist@contoso.example" }, type: "required" },
      { emailAddress: { address: "c@contoso.example", name: "C" }, type: "optional" },
    ],
    isOnlineMeeting: true,
    onlineMeetingProvider: "teamsForBusiness",
    isReminderOn: true,
    reminderMinutesBeforeStart: 0,
    start: { dateTime: "2026-03-04T09:00:00", timeZone: "Europe/Zagreb" },
    end: { dateTime: "2026-03-04T09:30:00", timeZone: "Europe/Zagreb" },
  });
  assert.match(String(transactionId), /^[\w-]{43}$/);
  assert.ok(text.startsWith(`Event created: ${structured.id}\n`) && text.includes(String(structured.joinUrl)));
});

const SPELLINGS: readonly object[] = [
  {
    subject: "Docks",
    start: "2026-03-04T09:00",
    end: "2026-03-04T09:30",
    timeZone: "Europe/Zagreb",
    description: "<p>x</p>",
  },
  {
    subject: "Docks",
    start: { dateTime: "2026-03-04T09:00:00", timeZone: "Europe/Zagreb" },
    end: { dateTime: "2026-03-04T09:30:00", timeZone: "Europe/Zagreb" },
    body: "<p>x</p>",
  },
];

for (const args of SPELLINGS) {
  test(`TL-06: also accepted: ${JSON.stringify(args).slice(0, 80)}`, async () => {
    await lab.good("createCalendarEvent", args);
    const { start, end, body } = lab.graph.createdEvents(ADA)[0]?.sent ?? {};
    assert.deepEqual(start, { dateTime: "2026-03-04T09:00:00", timeZone: "Europe/Zagreb" });
    assert.deepEqual(end, { dateTime: "2026-03-04T09:30:00", timeZone: "Europe/Zagreb" });
    assert.deepEqual(body, { contentType: "html", content: "<p>x</p>" });
  });
}

test("TL-06: a time with an offset becomes UTC", async () => {
  await lab.good("createCalendarEvent", {
    ...EVENT,
    startDateTime: "2026-03-04T09:00:00+02:00",
    endDateTime: "2026-03-04T07:30:00Z",
  });
  const { start, end } = lab.graph.createdEvents(ADA)[0]?.sent ?? {};
  assert.deepEqual(start, { dateTime: "2026-03-04T07:00:00", timeZone: "UTC" });
  assert.deepEqual(end, { dateTime: "2026-03-04T07:30:00", timeZone: "UTC" });
});

for (const [endDateTime, shown] of [
  ["2026-03-04", "2026-03-05T00:00:00"],
  ["2026-03-06T17:00", "2026-03-06T00:00:00"],
] as const) {
  test(`TL-06: an all-day event until ${endDateTime} lies on whole days`, async () => {
    await lab.good("createCalendarEvent", {
      ...EVENT,
      startDateTime: "2026-03-04T08:00:00+01:00",
      endDateTime,
      isAllDay: true,
    });
    const { start, end, isAllDay } = lab.graph.createdEvents(ADA)[0]?.sent ?? {};
    assert.deepEqual(
      [member(start, "dateTime"), member(end, "dateTime"), isAllDay],
      ["2026-03-04T00:00:00", shown, true],
    );
  });
}

test("TL-06 RL-02: a 504 after the event was made makes no second one when it is repeated", async () => {
  lab.graph.fault({ method: "POST", times: 1 }, { kind: "timeout-after-execution" });
  await lab.good("createCalendarEvent", EVENT);
  assert.deepEqual([lab.graph.createdEvents(ADA).length, lab.asked.length], [1, 2]);
});

test("TL-06: a client's new call makes a new event, the same request does not", async () => {
  await lab.call("createCalendarEvent", EVENT, "11111111-0000-4000-8000-000000000001");
  await lab.call("createCalendarEvent", EVENT, "11111111-0000-4000-8000-000000000001");
  assert.equal(lab.graph.createdEvents(ADA).length, 1);
  await lab.call("createCalendarEvent", EVENT, "11111111-0000-4000-8000-000000000002");
  assert.equal(lab.graph.createdEvents(ADA).length, 2);
});

test("TL-06: a join link that comes later is read once more", async () => {
  lab.graph.fault({ method: "POST" }, { kind: "join-link-later" });
  const { structured } = await lab.good("createCalendarEvent", { ...EVENT, isOnlineMeeting: true });
  assert.equal(typeof structured.joinUrl, "string");
  assert.deepEqual(
    lab.graph.requests.map(({ method }) => method),
    ["POST", "GET"],
  );
});

test("GW-10: an id of Graph's that would change a path is not followed, and the event was made all the same", async () => {
  for (const id of ["../../users", "a/b", "."]) {
    lab.answers.push(() => Response.json({ id }, { status: 201 }));
    await lab.good("createCalendarEvent", { ...EVENT, isOnlineMeeting: true });
    const joinUrl = "https://teams.microsoft.com/l/1";
    lab.answers.push(() => Response.json({ id: "1", onlineMeeting: { joinUrl } }, { status: 201 }));
    lab.answers.push(() => Response.json({ value: [{ id }] }));
    const meeting = {
      subject: "x",
      startTime: "2026-03-05T14:00",
      durationMinutes: 5,
      attendees: ["c@contoso.example"],
    };
    const { structured } = await lab.good("createTeamsMeeting", { ...meeting, options: { lobbyBypass: "everyone" } });
    assert.equal(structured.optionsApplied, false);
  }
  assert.equal(lab.asked.length, 0);
});

/** A meeting that is made, then looked for by its link, then changed. */
const WITH_OPTIONS = {
  subject: "Review",
  startTime: "2026-03-05T14:00",
  durationMinutes: 5,
  attendees: ["c@contoso.example"],
  options: { lobbyBypass: "everyone" },
};

test("GW-10: an online meeting whose id holds a slash is not changed, however long it is", async () => {
  const joinUrl = "https://teams.microsoft.com/l/1";
  lab.answers.push(() => Response.json({ id: "1", onlineMeeting: { joinUrl } }, { status: 201 }));
  lab.answers.push(() => Response.json({ value: [{ id: "a/B+".repeat(30) }] }));
  const { structured } = await lab.good("createTeamsMeeting", WITH_OPTIONS);
  assert.deepEqual([structured.optionsApplied, lab.calls.length], [false, 2]);
});

test("ER-04: an event that was answered without a body was created all the same", async () => {
  lab.graph.fault({ method: "POST" }, { kind: "empty-body" });
  const { text } = await lab.good("createCalendarEvent", EVENT);
  assert.match(text, /^Event created: /);
  assert.equal(lab.graph.createdEvents(ADA).length, 1);
});

test("TL-08: without attendees an online meeting with offset times, and no event", async () => {
  const { text, structured } = await lab.good("createTeamsMeeting", {
    subject: "Alone",
    start: "2026-03-05T14:00",
    durationMinutes: 45,
    timeZone: "Europe/Zagreb",
    options: { lobbyBypass: "organizer", allowMeetingChat: "disabled" },
  });
  const [made] = lab.graph.account(ADA).createdMeetings;
  assert.deepEqual(made?.sent, {
    subject: "Alone",
    startDateTime: "2026-03-05T13:00:00Z",
    endDateTime: "2026-03-05T13:45:00Z",
    lobbyBypassSettings: { scope: "organizer" },
    allowMeetingChat: "disabled",
  });
  assert.equal(lab.graph.createdEvents(ADA).length, 0);
  assert.equal(text, `Meeting created: ${structured.joinUrl}`);
  assert.deepEqual([structured.invited, structured.optionsApplied], [0, true]);
});

test("TL-08: with attendees an event that invites them, and options by look-up of its meeting", async () => {
  const { structured } = await lab.good("createTeamsMeeting", {
    subject: "Review",
    startDateTime: "2026-03-29T01:30",
    durationMinutes: 60,
    timeZone: "Europe/Zagreb",
    attendees: "boris.lindqvist@contoso.example; c@contoso.example",
    options: { allowedPresenters: "organizer" },
  });
  const [event] = lab.graph.createdEvents(ADA);
  assert.deepEqual(
    listOf(event?.sent ?? {}, "attendees").map((one) => member(one, "emailAddress", "address")),
    ["boris.lindqvist@contoso.example", "c@contoso.example"],
  );
  // The clocks go forward in this hour, so it ends at half past three.
  assert.deepEqual(event?.sent.end, { dateTime: "2026-03-29T03:30:00", timeZone: "Europe/Zagreb" });
  assert.equal(event?.sent.isOnlineMeeting, true);
  assert.deepEqual(
    lab.graph.account(ADA).updatedMeetings.map(({ sent }) => sent),
    [{ allowedPresenters: "organizer" }],
  );
  assert.deepEqual([structured.invited, structured.optionsApplied], [2, true]);
});

test("TL-08: a search for the meeting that is answered without a list is not sent again, and the options are not set", async () => {
  const onlineMeeting = { joinUrl: "https://teams.microsoft.com/l/1" };
  lab.answers.push(() => Response.json({ id: "1", onlineMeeting }, { status: 201 }));
  for (let more = 0; more < 9; more += 1) lab.answers.push(() => Response.json({}));
  const { structured } = await lab.good("createTeamsMeeting", WITH_OPTIONS);
  assert.deepEqual([lab.calls.length, structured.optionsApplied], [2, false]);
});

for (const path of [/^\/me\/onlineMeetings\?/, /^\/me\/onlineMeetings\/.+/] as const) {
  test(`TL-08: options that fail at ${path} leave the meeting, and say so`, async () => {
    lab.graph.fault({ path }, { kind: "refusal", status: 403, code: "Forbidden" });
    const { text, structured } = await lab.good("createTeamsMeeting", {
      subject: "Review",
      startTime: "2026-03-05T14:00",
      endTime: "2026-03-05T15:00",
      attendees: ["c@contoso.example"],
      options: { recordAutomatically: true },
    });
    assert.equal(structured.optionsApplied, false);
    assert.match(text, /^Meeting created: https:.*\nThe options could not be set/);
    assert.equal(lab.graph.createdEvents(ADA).length, 1);
  });
}

test("TL-08: a sign-in that ends after the invitations went out does not undo them; the next call asks for it", async () => {
  const fresh = await Lab.start();
  fresh.graph.fault({ path: /^\/me\/onlineMeetings/ }, { kind: "insufficient-claims" });
  const { structured } = await fresh.good("createTeamsMeeting", {
    subject: "Review",
    startTime: "2026-03-05T14:00",
    endTime: "2026-03-05T15:00",
    attendees: ["c@contoso.example"],
    options: { recordAutomatically: true },
  });
  assert.equal(structured.optionsApplied, false);
  assert.equal((await fresh.outcome({ name: "getEmails" })).kind, "unauthorized");
  await fresh.close();
});

test("TL-18: checkAvailability shows slots and an error per unknown address", async () => {
  const { structured } = await lab.good("checkAvailability", {
    schedules: ["boris.lindqvist@contoso.example", "nobody@contoso.example"],
    start: "2026-03-03T08:00",
    end: "2026-03-03T18:00",
    timeZone: "Europe/Zagreb",
  });
  const [boris, nobody] = listOf(structured, "schedules");
  assert.match(String(boris?.availabilityView), /^[0-4]{20}$/);
  assert.equal(typeof member(nobody?.error, "message"), "string");
  assert.equal(lab.lastBody().availabilityViewInterval, 30);
});

test("RL-02: getSchedule is a read although it is a POST, and is asked again", async () => {
  lab.graph.fault({ method: "POST", times: 1 }, { kind: "unavailable" });
  await lab.good("checkAvailability", {
    schedules: ["a@contoso.example"],
    start: "2026-03-03T08:00",
    end: "2026-03-03T18:00",
  });
  assert.equal(lab.asked.length, 2);
});

async function eventWhere(holds: (event: Record<string, unknown>) => boolean) {
  const { structured } = await lab.good("getCalendarEvents", { days: 14 });
  lab.graph.reset();
  const event = listOf(structured, "events").find(holds);
  assert.ok(event !== undefined);
  return event;
}

test("TL-20: a change sends only what is given, and one request", async () => {
  const { id } = await eventWhere(({ subject }) => subject === "Carrier negotiation");
  await lab.good("updateCalendarEvent", { id, location: "Room 2", start: "2026-03-05T15:00", end: "2026-03-05T16:00" });
  assert.deepEqual(lab.graph.account(ADA).updatedEvents[0]?.sent, {
    location: { displayName: "Room 2" },
    start: { dateTime: "2026-03-05T15:00:00", timeZone: "UTC" },
    end: { dateTime: "2026-03-05T16:00:00", timeZone: "UTC" },
  });
  assert.equal(lab.asked.length, 1);
  await lab.good("updateCalendarEvent", { id, end: "2026-03-05T17:00" });
  assert.deepEqual(Object.keys(lab.graph.account(ADA).updatedEvents[1]?.sent ?? {}), ["end"]);
});

test("TL-20: a new text of an online meeting keeps its join block, so that the meeting lives", async () => {
  const event = await eventWhere(
    ({ isOnlineMeeting, organizer }) =>
      isOnlineMeeting === true && member(organizer as never, "emailAddress", "address") === ADA.email,
  );
  await lab.good("updateCalendarEvent", { id: event.id, body: "Agenda:\n1 < 2" });
  const content = String(member(lab.graph.account(ADA).updatedEvents[0]?.sent, "body", "content"));
  assert.ok(content.startsWith("Agenda:<br>1 &lt; 2<div>____"));
  const { structured } = await lab.good("getCalendarEvents", { days: 14 });
  const later = listOf(structured, "events").find(({ id }) => id === event.id);
  assert.deepEqual(later?.onlineMeeting, event.onlineMeeting);
});

for (const [response, action] of [
  ["accept", "accept"],
  ["tentative", "tentativelyAccept"],
  ["decline", "decline"],
] as const) {
  test(`TL-21: ${response} goes to ${action}`, async () => {
    const { id } = await eventWhere(
      ({ organizer }) => member(organizer as never, "emailAddress", "address") === "freya.sorensen@contoso.example",
    );
    await lab.good("respondToEvent", { id, response, comment: "Hm", sendResponse: false });
    const [sent] = lab.graph.account(ADA).eventResponses;
    assert.deepEqual([sent?.action, sent?.sent], [action, { sendResponse: false, comment: "Hm" }]);
  });
}

test("TL-21: answering is not repeated after 503", async () => {
  const { id } = await eventWhere(
    ({ responseStatus }) => member(responseStatus as never, "response") === "notResponded",
  );
  lab.graph.fault({ method: "POST" }, { kind: "unavailable" });
  assert.equal((await lab.bad("respondToEvent", { id, response: "accept" })).retryable, false);
  assert.equal(lab.asked.length, 1);
  assert.equal(NOW, lab.nowMs);
});
