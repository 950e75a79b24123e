import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { getPrompt, PROMPT_LIST } from "../../src/prompts/index.ts";
import { TOOLS } from "../../src/tools/index.ts";

const GOOD: Readonly<Record<string, Record<string, string>>> = {
  dailySummary: {},
  scheduleMeeting: { subject: "Docks", attendees: "boris@contoso.example" },
  statusUpdate: { teamId: "t", channelId: "c", topic: "docks" },
  findContact: { name: "Liam" },
};

function textOf(name: string, args?: unknown): string {
  const prompt = getPrompt({ name, ...(args !== undefined && { arguments: args }) });
  assert.ok(typeof prompt === "object", String(prompt));
  const [message] = prompt.messages as { role: string; content: { type: string; text: string } }[];
  assert.deepEqual([message?.role, message?.content.type], ["user", "text"], name);
  return message?.content.text ?? "";
}

test("PR-01: four prompts with these arguments", () => {
  const shown = PROMPT_LIST.map(({ name, arguments: args }) => [
    name,
    (args as { name: string; required: boolean }[]).map((one) => `${one.name}${one.required ? "" : "?"}`).join(),
  ]);
  assert.deepEqual(shown, [
    ["dailySummary", "date?,folder?"],
    ["scheduleMeeting", "subject,attendees,durationMinutes?,within?"],
    ["statusUpdate", "teamId,channelId,topic"],
    ["findContact", "name"],
  ]);
  for (const { title, description } of PROMPT_LIST)
    assert.ok(String(title).length > 3 && String(description).length > 10);
});

for (const [name, args] of Object.entries(GOOD)) {
  test(`PR-01: ${name} names tools that exist, and needs no more than its required arguments`, () => {
    const text = textOf(name, args);
    assert.ok(TOOLS.some((tool) => text.includes(tool.name)));
    assert.doesNotMatch(text, /[{}]|undefined/);
    for (const value of Object.values(args)) assert.ok(text.includes(JSON.stringify(value)));
  });

  for (const missing of Object.keys(args)) {
    test(`PR-01: ${name} without ${missing} is refused, and says so`, () => {
      const { [missing]: _left, ...rest } = args;
      assert.equal(getPrompt({ name, arguments: rest }), `The argument ${missing} is missing.`);
    });
  }
}

const UNKNOWN = "No such prompt; see prompts/list.";
const NAME_MISSING = "The argument name is missing.";
for (const [params, problem] of [
  [{ name: "nothing" }, UNKNOWN],
  [{}, UNKNOWN],
  [{ name: "constructor" }, UNKNOWN],
  [{ name: "findContact" }, NAME_MISSING],
  [{ name: "findContact", arguments: { name: 5 } }, "The argument name must be a text."],
  [
    { name: "findContact", arguments: { name: "Liam", ["x".repeat(5000)]: 5 } },
    /^The argument x{100} must be a text\.$/,
  ],
  [{ name: "findContact", arguments: ["Liam"] }, "arguments must be an object."],
  [{ name: "findContact", arguments: Object.create({ name: "inherited" }) }, NAME_MISSING],
] as const) {
  test(`PR-01: ${JSON.stringify(params).slice(0, 80)} is refused, and says why`, () => {
    const refused = getPrompt(params);
    if (typeof problem === "string") assert.equal(refused, problem);
    else assert.match(String(refused), problem);
  });
}

test("PR-01: dailySummary needs no arguments member at all", () => assert.match(textOf("dailySummary"), /getEmails/));

test("PR-01: an argument is one quoted text, wherever it would like to be (property)", () => {
  const around = textOf("findContact", { name: "NEEDLE" }).split('"NEEDLE"');
  fc.assert(
    fc.property(fc.string(), (name) => {
      const text = textOf("findContact", { name });
      assert.equal(text, around.join(JSON.stringify(name)));
    }),
  );
});

test("PR-01: what looks like a place for another argument stays text", () => {
  const text = textOf("scheduleMeeting", { subject: "{attendees} {within|now} $& $1", attendees: "a@contoso.example" });
  assert.ok(text.includes('"{attendees} {within|now} $& $1"'));
});
