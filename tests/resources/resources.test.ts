import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { JsonObject } from "../../fixtures/graph/types.ts";
import { CATALOG } from "../../src/mcp/catalog.ts";
import { Lab, listOf } from "../tools/lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

async function read(name: string, from = lab): Promise<JsonObject> {
  const outcome = await from.outcome({ kind: "resource", name });
  assert.ok(outcome.kind === "done", JSON.stringify(outcome));
  const { contents } = outcome.result as { contents: { uri: string; mimeType: string; text: string }[] };
  assert.deepEqual(
    [contents.length, contents[0]?.uri, contents[0]?.mimeType],
    [1, `microsoft://${name}`, "application/json"],
  );
  return JSON.parse(contents[0]?.text ?? "") as JsonObject;
}

test("RS-01: three resources with name, title, description and application/json", () => {
  const { resources } = CATALOG.list("resources/list") as { resources: JsonObject[] };
  assert.deepEqual(
    resources.map(({ uri }) => uri),
    ["microsoft://profile", "microsoft://calendars", "microsoft://teams"],
  );
  for (const resource of resources) {
    assert.deepEqual(Object.keys(resource).sort(), ["description", "mimeType", "name", "title", "uri"]);
    assert.equal(resource.mimeType, "application/json");
  }
});

const SCOPES = { profile: ["User.Read"], calendars: ["Calendars.Read"], teams: ["Team.ReadBasic.All"] };

for (const [name, scopes] of Object.entries(SCOPES)) {
  test(`RS-04: microsoft://${name} is found, and needs ${scopes}`, async () => {
    const found = CATALOG.find("resources/read", { uri: `microsoft://${name}` });
    assert.deepEqual(found, { call: { kind: "resource", name, arguments: {} }, scopes });
    const poor = await Lab.start({ scopes: ["Mail.Read"] });
    assert.equal((await poor.outcome({ kind: "resource", name })).kind, "insufficient_scope");
    await poor.close();
  });
}

for (const uri of ["microsoft://mail", "microsoft://", "profile", undefined, 5, "microsoft://profile/"]) {
  test(`RS-05: ${String(uri)} is no resource`, () => assert.equal(CATALOG.find("resources/read", { uri }), undefined));
}

test("RS-01: the profile has these members, and null where Graph has null", async () => {
  const profile = await read("profile");
  // biome-ignore format: a list reads best filled
  assert.deepEqual(Object.keys(profile).sort(), ["companyName", "department", "displayName", "id", "jobTitle", "mail", "userPrincipalName"]);
  assert.deepEqual([profile.displayName, profile.companyName], ["Ada Novak", "Contoso"]);
});

test("RS-02: calendars are read to the end", async () => {
  const link = "https://graph.microsoft.com/v1.0/me/calendars?$skip=1";
  lab.answers.push(() => Response.json({ value: [{ id: "1", name: "A" }], "@odata.nextLink": link }));
  const calendars = listOf(await read("calendars"), "calendars");
  assert.ok(calendars.length > 2);
  assert.deepEqual(Object.keys(calendars[1] ?? {}).sort(), [
    "canEdit",
    "color",
    "id",
    "isDefaultCalendar",
    "name",
    "owner",
  ]);
});

test("RS-02: within five pages, and not beyond Graph", async () => {
  const link = "https://graph.microsoft.com/v1.0/me/calendars?$skip=1";
  for (let page = 0; page < 9; page += 1) {
    lab.answers.push(() => Response.json({ value: [{ id: String(page) }], "@odata.nextLink": link }));
  }
  assert.equal(listOf(await read("calendars"), "calendars").length, 5);
  lab.reset();
  lab.graph.fault({ method: "GET" }, { kind: "foreign-next-link" });
  await read("calendars");
  assert.equal(lab.calls.length, 1);
});

for (const name of ["calendars", "teams"]) {
  test(`RS-04: a later page of microsoft://${name} that fails is the answer, not a list that lacks the rest`, async () => {
    const link = "https://graph.microsoft.com/v1.0/me/calendars?$skip=1";
    lab.answers.push(() => Response.json({ value: [{ id: "1" }], "@odata.nextLink": link }));
    lab.answers.push(() => Response.json({ error: { code: "Forbidden" } }, { status: 403 }));
    const outcome = await lab.outcome({ kind: "resource", name });
    assert.ok(outcome.kind === "failed", JSON.stringify(outcome));
    assert.equal((outcome.data as JsonObject).type, "graph_forbidden");
  });
}

test("RS-02: what does not fit of five pages is counted", async () => {
  const link = "https://graph.microsoft.com/v1.0/me/calendars?$skip=1";
  for (let page = 0; page < 5; page += 1) {
    const value = Array.from({ length: 50 }, (_, index) => ({ id: `${page}-${index}${"x".repeat(400)}` }));
    lab.answers.push(() => Response.json({ value, "@odata.nextLink": link }));
  }
  const { calendars, omitted, truncated } = await read("calendars");
  assert.equal(truncated, true);
  assert.equal(listOf({ calendars: calendars ?? [] }, "calendars").length + Number(omitted), 250);
});

test("RS-03: teams take no OData options and may have a null webUrl", async () => {
  const teams = listOf(await read("teams"), "teams");
  assert.deepEqual(Object.keys(teams[0] ?? {}).sort(), ["description", "displayName", "id", "webUrl"]);
  assert.equal(lab.asked[0], "GET /me/joinedTeams");
});

for (const [status, code] of [
  [403, "Forbidden"],
  [400, "BadRequest"],
] as const) {
  test(`RS-03: a personal account (${status}) gives an empty list and a note`, async () => {
    lab.graph.fault({ method: "GET" }, { kind: "refusal", status, code });
    const { teams, note } = await read("teams");
    assert.deepEqual(teams, []);
    assert.match(String(note), /no Teams/);
  });
}

test("RS-04: a failure is told with the object of ER-07", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "MailboxNotEnabledForRESTAPI" });
  const outcome = await lab.outcome({ kind: "resource", name: "calendars" });
  assert.ok(outcome.kind === "failed");
  // As JSON, which leaves out what is undefined.
  const { requestId, ...error } = JSON.parse(JSON.stringify(outcome.data)) as { requestId: string };
  assert.deepEqual(error, {
    type: "mailbox_unavailable",
    code: "MailboxNotEnabledForRESTAPI",
    status: 404,
    retryable: false,
  });
  assert.match(outcome.message, /no Exchange Online mailbox/);
});

test("GW-08: the gateway is told resource:<name>", async () => {
  for (const name of Object.keys(SCOPES)) await read(name);
  const told = lab.calls.map(({ options }) => (options.gateway.metadata as JsonObject).mcpTool);
  assert.deepEqual(told, ["resource:profile", "resource:calendars", "resource:teams"]);
});
