import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, beforeEach, test } from "node:test";
import fc from "fast-check";
import { OPERATIONS_GENERAL_ID, OPERATIONS_TEAM_ID } from "../../fixtures/graph/data/teams.ts";
import { BORIS } from "../../fixtures/people.ts";
import { formatOf, htmlOf } from "../../src/tools/html-text.ts";
import { Lab, listOf, member } from "./lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

const PLACE = { teamId: OPERATIONS_TEAM_ID, channelId: OPERATIONS_GENERAL_ID };

/** As an id of Outlook may look, and no id of Teams. */
const SLASHED = `AAkALg${"a+/B".repeat(30)}==`;

const REFUSED: readonly (readonly [tool: string, args: object, field: string])[] = [
  ["sendTeamsMessage", { ...PLACE }, "message"],
  ["sendTeamsMessage", { ...PLACE, message: "" }, "message"],
  ["sendTeamsMessage", { ...PLACE, message: "x".repeat(28_001) }, "message"],
  ["sendTeamsMessage", { teamId: "..", channelId: "x", message: "x" }, "teamId"],
  ["sendTeamsMessage", { ...PLACE, channelId: "a/../b", message: "x" }, "channelId"],
  [
    "sendTeamsMessage",
    { ...PLACE, message: "x", mentions: [{ id: "boris@contoso.example", displayName: "B" }] },
    "mentions",
  ],
  ["sendTeamsMessage", { ...PLACE, teamId: SLASHED, message: "x" }, "teamId"],
  ["sendTeamsMessage", { ...PLACE, channelId: SLASHED, message: "x" }, "channelId"],
  ["listChannels", { teamId: "a/b" }, "teamId"],
  ["listChannels", { teamId: SLASHED }, "teamId"],
  ["getContacts", { count: 101 }, "count"],
  ["getContacts", { count: 0 }, "count"],
  ["getContacts", { search: "" }, "search"],
  ["getContacts", { search: "   " }, "search"],
  ["getContacts", { search: "a\nb" }, "search"],
  ["authenticate", { user: "x" }, "user"],
];

for (const [tool, args, field] of REFUSED) {
  test(`TL-14: ${tool} ${JSON.stringify(args).slice(0, 60)} is a validation result naming ${field}`, async () => {
    const error = await lab.bad(tool, args);
    assert.deepEqual([error.type, error.field], ["validation_error", field]);
    assert.equal(lab.asked.length, 0);
  });
}

test("TL-07: plain text is escaped, its lines are kept, ids are encoded, one POST", async () => {
  const { text } = await lab.good("sendTeamsMessage", { ...PLACE, message: 'a < b & "c"\r\nd' });
  assert.equal(text, "Teams message sent");
  const [message] = lab.graph.teamsMessages;
  assert.deepEqual(message?.sent.body, { contentType: "html", content: "a &lt; b &amp; &quot;c&quot;<br>d" });
  assert.equal(lab.graph.requests.length, 1);
  assert.match(lab.graph.requests[0]?.target ?? "", /19%3A.*%40thread\.tacv2/);
});

test("TL-07: tags are passed on as HTML unless contentType says text", async () => {
  await lab.good("sendTeamsMessage", { ...PLACE, message: "<b>x</b>\ny" });
  await lab.good("sendTeamsMessage", { ...PLACE, message: "<b>x</b>", contentType: "text" });
  const contents = lab.graph.teamsMessages.map(({ sent }) => member(sent.body, "content"));
  assert.deepEqual(contents, ["<b>x</b>\ny", "&lt;b&gt;x&lt;/b&gt;"]);
});

// biome-ignore format: a list reads best filled
const HTML = ["<p>a</p>", "a<br/>b", "a<br>b", "a<BR />b", "<b>a", "a</p>", '<a href="https://x.example">x</a>', "<a href=x>", '<at id="0">Ana</at>',
  "<ul><li>a</ul>", '<table border="0">', "<div class=x>", "<div\nclass='x'>", "<!DOCTYPE html>", "<html>", "<!-- a -->", '<img src="x" alt="a > b">',
  "<h1>a</h1>", '<span style="color:red">', "<hr>", "5 < 6 <em>a</em>", "<mark>Friday</mark>", "<kbd>Ctrl</kbd>", '<emoji id="smile" alt="x">', '<attachment id="1"></attachment>', "<ana@contoso.example> <i>a</i>"];
// biome-ignore format: a list reads best filled
const TEXT = ["Contact Ana <ana@contoso.example>\nThanks", "see <https://x.example>\nbye", "if a<b then\nstop", "List<string> x", "<b@contoso.example>",
  "<p.novak@contoso.example>", "<a-team@contoso.example>", "<at@contoso.example>", "a <b and c> d", "<https://x.example/?a=b>", "Dear <name>", "a</b", "<3",
  "1 < 2 > 0", "<", "<>", "</>", "<!>", "a <- b", "Map<K, V>", "<mailto:a@contoso.example>", "\\<br\\>"];

for (const [format, texts] of [
  ["html", HTML],
  ["text", TEXT],
] as const) {
  for (const text of texts) {
    test(`TL-07: ${JSON.stringify(text)} is ${format}`, () => assert.equal(formatOf(text), format));
  }
}

test("TL-07: telling text from HTML takes no longer than reading it, whatever it is", () => {
  for (const part of ["<", "<a ", "<a =", "<a x=", "<b  ", "</"]) {
    const startedMs = performance.now();
    formatOf(part.repeat(150_000 / part.length) + "=".repeat(10_000) + " ".repeat(10_000));
    assert.ok(performance.now() - startedMs < 500, part);
  }
});

test("TL-07: an address in angle brackets keeps its message text, lines and all", async () => {
  await lab.good("sendTeamsMessage", { ...PLACE, message: "Contact Ana <ana@contoso.example>\nThanks" });
  const { body } = lab.graph.teamsMessages[0]?.sent ?? {};
  assert.equal(member(body, "content"), "Contact Ana &lt;ana@contoso.example&gt;<br>Thanks");
});

test("TL-07: a message of 28,000 characters is sent whole", async () => {
  await lab.good("sendTeamsMessage", { ...PLACE, message: "x".repeat(28_000) });
  assert.equal(String(member(lab.graph.teamsMessages[0]?.sent.body, "content")).length, 28_000);
});

const MENTIONS: readonly (readonly [message: string, name: string, html: string])[] = [
  ["Hi @Boris Lindqvist!", "Boris Lindqvist", 'Hi <at id="0">Boris Lindqvist</at>!'],
  ["Hi", "Boris Lindqvist", '<at id="0">Boris Lindqvist</at> Hi'],
  ["Hi @B & Sons", "B & Sons", 'Hi <at id="0">B &amp; Sons</at>'],
  ["<p>@$& x</p>", "$&", '<at id="0">$&amp;</at> <p>@$& x</p>'],
  ['<p><at id="0">Boris</at></p>', "Boris", '<p><at id="0">Boris</at></p>'],
  ['<p>@B <at id="0">the boss</at></p>', "B", '<p>@B <at id="0">B</at></p>'],
  ['<at id="0"><b>Boris</b></at> hi', "Boris", '<at id="0">Boris</at> hi'],
  ["<3 @Boris <b>x</b>", "Boris", '<3 <at id="0">Boris</at> <b>x</b>'],
  ['<a title="@Boris" href="x">x</a> @Boris', "Boris", '<a title="@Boris" href="x">x</a> <at id="0">Boris</at>'],
  ['<img alt="@Boris" />', "Boris", '<at id="0">Boris</at> <img alt="@Boris" />'],
  ["<p>a -> @Boris -> b</p>", "Boris", '<p>a -> <at id="0">Boris</at> -> b</p>'],
];

for (const [message, displayName, html] of MENTIONS) {
  test(`TL-07: ${message} mentioning ${displayName} becomes ${html}`, async () => {
    await lab.good("sendTeamsMessage", { ...PLACE, message, mentions: [{ id: BORIS.oid, displayName }] });
    const { body, mentions } = lab.graph.teamsMessages[0]?.sent ?? {};
    assert.deepEqual(body, { contentType: "html", content: html });
    assert.deepEqual(mentions, [
      {
        id: 0,
        mentionText: displayName,
        mentioned: { user: { id: BORIS.oid, displayName, userIdentityType: "aadUser" } },
      },
    ]);
  });
}

test("TL-07: a name that begins with another one is found before it, and numbers stay those of the list", async () => {
  const mentions = ["Ann", "Ann Lee", "Ann"].map((displayName) => ({ id: BORIS.oid, displayName }));
  await lab.good("sendTeamsMessage", { ...PLACE, message: "@Ann Lee, @Ann and @Ann", mentions });
  const { body, mentions: sent } = lab.graph.teamsMessages[0]?.sent ?? {};
  assert.equal(member(body, "content"), '<at id="1">Ann Lee</at>, <at id="0">Ann</at> and <at id="2">Ann</at>');
  assert.deepEqual(
    listOf({ sent: sent ?? [] }, "sent").map(({ id, mentionText }) => [id, mentionText]),
    [
      [0, "Ann"],
      [1, "Ann Lee"],
      [2, "Ann"],
    ],
  );
});

test("TL-07: text never becomes markup (property)", () => {
  fc.assert(
    fc.property(fc.string(), (text) => assert.doesNotMatch(htmlOf(text, "text").replaceAll("<br>", ""), /[<>"]/)),
  );
});

test('TL-07: channelId "general" is passed on, and its 404 says where the id is', async () => {
  const error = await lab.bad("sendTeamsMessage", { ...PLACE, channelId: "general", message: "x" });
  assert.equal(error.type, "graph_not_found");
  assert.match(error.text, /listChannels.*19:.*@thread\.tacv2/);
  assert.match(lab.graph.requests[0]?.path ?? "", /channels\/general\/messages/);
});

test("RL-02: a Teams message is not sent again after 5xx", async () => {
  lab.graph.fault({ method: "POST" }, { kind: "timeout-after-execution" });
  assert.equal((await lab.bad("sendTeamsMessage", { ...PLACE, message: "x" })).retryable, false);
  assert.equal(lab.graph.teamsMessages.length, 1);
});

test("TL-16: listChannels gives teams and a hint, then channels that sendTeamsMessage takes", async () => {
  const teams = (await lab.good("listChannels")).structured;
  assert.match(String(teams.hint), /teamId/);
  const [team] = listOf(teams, "teams");
  const { structured } = await lab.good("listChannels", { teamId: team?.id });
  const channels = listOf(structured, "channels");
  assert.deepEqual(Object.keys(channels[0] ?? {}).sort(), ["description", "displayName", "id", "membershipType"]);
  assert.ok(channels.every(({ membershipType }) => membershipType !== "unknownFutureValue"));
  await lab.good("sendTeamsMessage", { teamId: team?.id, channelId: channels[0]?.id, message: "x" });
});

for (const [name, args] of [
  ["teams", {}],
  ["channels", { teamId: OPERATIONS_TEAM_ID }],
] as const) {
  test(`TL-16: of ${name} at most five pages are read, and a list that goes on says so`, async () => {
    const link = `https://graph.microsoft.com/v1.0/${name}?$skiptoken=1`;
    const more = () => Response.json({ value: [{ id: "1" }], "@odata.nextLink": link });
    lab.answers.push(more, more, more, more, more);
    const { structured } = await lab.good("listChannels", args);
    assert.deepEqual([listOf(structured, name).length, structured.truncated, lab.calls.length], [5, true, 5]);
  });

  test(`TL-16: ${name} of two pages are read to the end, and a page that fails is the answer`, async () => {
    const link = `https://graph.microsoft.com/v1.0/${name}?$skiptoken=1`;
    const first = () => Response.json({ value: [{ id: "1" }], "@odata.nextLink": link });
    lab.answers.push(first, () => Response.json({ value: [{ id: "2" }] }));
    const { structured } = await lab.good("listChannels", args);
    assert.deepEqual(
      listOf(structured, name).map(({ id }) => id),
      ["1", "2"],
    );
    assert.equal(structured.truncated, undefined);
    assert.equal(lab.calls[1]?.inputs.path, `/v1.0/${name}?$skiptoken=1`);
    assert.equal(lab.calls[1]?.inputs.headers.Prefer, "include-unknown-enum-members");
    lab.answers.push(first, () => Response.json({ error: { code: "Forbidden" } }, { status: 403 }));
    assert.equal((await lab.bad("listChannels", args)).type, "graph_forbidden");
  });
}

test("TL-09: contacts are found by the start of a name, in any of three, and by a full address", async () => {
  for (const search of ["liam", "O'Br", "liam@obrien.example"]) {
    const { structured } = await lab.good("getContacts", { search });
    const [contact, ...more] = listOf(structured, "contacts");
    assert.deepEqual([contact?.displayName, more.length], ["Liam O'Brien", 0], search);
  }
  assert.ok(lab.graph.requests.some(({ query }) => query.$filter?.includes("'O''Br'")));
});

for (const count of [1, 100]) {
  test(`TL-09: ${count} contacts at once may be asked for`, async () => {
    await lab.good("getContacts", { count });
    assert.equal(lab.graph.requests[0]?.query.$top, String(count));
  });
}

test("TL-09: an item has the members that are promised; pages go on", async () => {
  const first = await lab.good("getContacts", { count: 2 });
  const [contact] = listOf(first.structured, "contacts");
  // biome-ignore format: a list reads best filled
  const names = ["id", "displayName", "givenName", "surname", "emailAddresses", "businessPhones", "mobilePhone", "companyName", "jobTitle", "department"];
  assert.deepEqual(Object.keys(contact ?? {}).sort(), names.sort());
  const karima = listOf((await lab.good("getContacts", { search: "Karima" })).structured, "contacts")[0];
  const [address] = listOf(karima ?? {}, "emailAddresses");
  assert.deepEqual([address?.address, karima?.mobilePhone], ["karima.elsayed@northwind.example", "+20 100 555 0101"]);
  const second = await lab.good("getContacts", { count: 2, pageToken: first.structured.nextPageToken });
  assert.notEqual(listOf(second.structured, "contacts")[0]?.id, contact?.id);
});

test("TL-10 DO-04: authenticate tells who is signed in and what was granted, counts calls, and asks Graph nothing", async () => {
  const fresh = await Lab.start({ scopes: ["Mail.Read"] });
  await fresh.good("getEmails");
  const { text, structured } = await fresh.good("authenticate");
  assert.ok(text.startsWith("Authentication is handled automatically by the OAuth provider"));
  const { unavailableTools, server, ...rest } = structured;
  assert.deepEqual(rest, {
    authenticated: true,
    user: { id: "3f2b8c1e-6a57-4a2f-9c0d-1b7e5d4f8a01", displayName: "Ada Novak", email: "ada.novak@contoso.example" },
    grantedScopes: ["Mail.Read"],
    expiresAt: "2026-05-31T09:00:00.000Z",
    calls: 2,
    lastActivity: "2026-03-02T09:00:00.000Z",
  });
  const { name, version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  assert.deepEqual(server, { name, version });
  const off = listOf(structured, "unavailableTools");
  assert.deepEqual(off[0], { name: "sendEmail", missingScopes: ["Mail.Send"] });
  assert.ok(!off.some(({ name }) => name === "getEmails" || name === "authenticate"));
  assert.equal(fresh.asked.length, 1);
  assert.ok(Array.isArray(unavailableTools));
  await fresh.close();
});

test("D-29: a missing scope is a step-up that names the granted ones too", async () => {
  const fresh = await Lab.start({ scopes: ["Mail.Read"] });
  const outcome = await fresh.outcome({ name: "sendEmail", arguments: {} });
  assert.deepEqual(outcome, {
    kind: "insufficient_scope",
    missing: ["Mail.Send"],
    scopes: ["Mail.Read", "Mail.Send"],
  });
  await fresh.close();
});
