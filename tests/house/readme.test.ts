// What README.md says of the product, against the product. After a change of the catalogue:
//     UPDATE_GOLDEN=1 npm run test:fast tests/house/readme.test.ts && npx biome format --write README.md
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CALLS_PER_MINUTE } from "../../src/agent/usage.ts";
import { CATALOG } from "../../src/mcp/catalog.ts";
import { LEGACY_REVISIONS, MODERN_REVISION } from "../../src/mcp/revisions.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { readText, rowsOf, sectionOf } from "./documents.ts";
import { ROOT } from "./source.ts";

/** The catalogue as README.md shows it, in the order of `tools/list`. */
function toolTable(): string {
  const rows = TOOLS.map(({ name, description, scopes }) => {
    const [purpose] = description.replace(/\.$/, "").split(". ");
    const permissions = scopes.map((scope) => `\`${scope}\``).join(", ");
    return `| \`${name}\` | ${purpose} | ${permissions || "none"} |`;
  });
  const head = ["| tool | what it does | Microsoft permission |", "|---|---|---|"];
  return [`${TOOLS.length} tools:`, "", ...head, ...rows].join("\n");
}

const GENERATED = /(?<=<!-- tools: generated -->\n)[\s\S]*?(?=\n<!-- end of tools -->)/;

test("DC-01: README.md has the tools of the catalogue, with their permissions", async () => {
  const readme = await readText("README.md");
  const [table] = GENERATED.exec(readme) ?? [];
  assert.ok(table !== undefined, "README.md has no generated table");
  if (process.env.UPDATE_GOLDEN === "1") {
    await writeFile(join(ROOT, "README.md"), readme.replace(GENERATED, toolTable));
    return;
  }
  const hint = "intended? UPDATE_GOLDEN=1 npm run test:fast tests/house/readme.test.ts";
  assert.deepEqual(rowsOf(table), rowsOf(toolTable()), hint);
  assert.ok(table.startsWith(`${TOOLS.length} tools:`), `README.md does not say that there are ${TOOLS.length} tools`);
});

test("DC-01: README.md names every resource, prompt and protocol revision", async () => {
  const readme = await readText("README.md");
  const { resources } = CATALOG.list("resources/list") as { resources: { uri: string }[] };
  const { prompts } = CATALOG.list("prompts/list") as { prompts: { name: string }[] };
  const names = [...resources.map(({ uri }) => uri), ...prompts.map(({ name }) => name)];
  assert.deepEqual(
    [...names.map((name) => `\`${name}\``), ...LEGACY_REVISIONS, MODERN_REVISION].filter(
      (text) => !readme.includes(text),
    ),
    [],
  );
});

test("DC-01: the limits of README.md are those of wrangler.toml.example and of a grant", async () => {
  const readme = await readText("README.md");
  const [example = ""] = (await readText("wrangler.toml.example")).split("[env.production]");
  const limits = [...example.matchAll(/^\[\[ratelimits\]\] # (.+)\n(?:.+\n)*?simple = \{ limit = (\d+),/gm)];
  assert.equal(limits.length, 6);
  const said = rowsOf(readme)
    .filter(([, limit = ""]) => /^[\d,]+$/.test(limit))
    .map(([what = "", limit = ""]) => `${what.replaceAll("`", "")}: ${limit.replace(",", "")}`);
  const held = [
    ...limits.map(([, what, limit]) => `${what}: ${limit}`),
    `tool calls of one grant: ${CALLS_PER_MINUTE}`,
  ];
  assert.deepEqual(said.sort(), held.sort());
});

test("EP-04, EP-05: README.md says what a WebSocket cannot do, and what to use over HTTP/2", async () => {
  const section = sectionOf(await readText("README.md"), "## For who connects").replace(/\s+/g, " ");
  for (const sentence of [
    "Browsers cannot sign in on a WebSocket, because they cannot set its `Authorization` header.",
    "A handshake without a `Sec-WebSocket-Key` is answered by the platform and never reaches the server.",
    "Over HTTP/2 use POST.",
  ]) {
    assert.ok(section.includes(sentence), sentence);
  }
});

test("DC-01: README.md names every command of package.json that somebody would type", async () => {
  const readme = await readText("README.md");
  const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name = ""]) => name);
  assert.deepEqual(
    ["start", "demo", "test", "check", "bench", "build", "deploy"].filter((name) => !named.includes(name)),
    [],
  );
});

test("DG-04: README.md has a guide for each of three readers, and says what is simulated, limited and different", async () => {
  const titles = Array.from((await readText("README.md")).matchAll(/^##+ (.+)$/gm), ([, title = ""]) => title);
  const wanted = [
    ...["For the reviewer", "For who connects", "For curl and web applications", "Web application"],
    ...["Try it", "Tools", "Limits", "Troubleshooting", "Questions", "What is simulated"],
  ];
  assert.deepEqual(
    wanted.filter((title) => !titles.includes(title)),
    [],
  );
});

test("DC-06: README.md states the deviations that a reader of older guides would stumble over", async () => {
  const section = sectionOf(await readText("README.md"), "## Where it differs from what you may expect");
  assert.deepEqual(
    ["D-05", "D-06", "D-22", "D-36"].filter((row) => !section.includes(`(${row})`)),
    [],
  );
});
