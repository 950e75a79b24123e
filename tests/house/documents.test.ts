// What the documents say of the tree, against the tree. After a change of the catalogue:
//     UPDATE_GOLDEN=1 npm run test:fast tests/house/documents.test.ts && npx biome format --write README.md
import assert from "node:assert/strict";
import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CALLS_PER_MINUTE } from "../../src/agent/usage.ts";
import { CATALOG } from "../../src/mcp/catalog.ts";
import { LEGACY_REVISIONS, MODERN_REVISION } from "../../src/mcp/revisions.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { ROOT } from "./source.ts";

const readText = (path: string) => readFile(join(ROOT, path), "utf8");
const exists = (path: string) =>
  access(join(ROOT, path)).then(
    () => true,
    () => false,
  );

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

/** A row of cells for each row of a table, without what aligns them and without the line under its head. */
function rowsOf(text: string): string[][] {
  const rows = text.split("\n").filter((line) => line.startsWith("|") && !/^[|\s:-]+$/.test(line));
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const GENERATED = /(?<=<!-- tools: generated -->\n)[\s\S]*?(?=\n<!-- end of tools -->)/;

test("DC-01: README.md has the tools of the catalogue, with their permissions", async () => {
  const readme = await readText("README.md");
  const [table] = GENERATED.exec(readme) ?? [];
  assert.ok(table !== undefined, "README.md has no generated table");
  if (process.env.UPDATE_GOLDEN === "1") await writeFile(join(ROOT, "README.md"), readme.replace(GENERATED, toolTable));
  else {
    const hint = "intended? UPDATE_GOLDEN=1 npm run test:fast tests/house/documents.test.ts";
    assert.deepEqual(rowsOf(table), rowsOf(toolTable()), hint);
  }
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

test("DC-01: README.md names every command of package.json that somebody would type, and no other", async () => {
  const readme = await readText("README.md");
  const { scripts } = JSON.parse(await readText("package.json")) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm (?:run )?([a-z][\w:]*)/g)].map(([, name = ""]) => name);
  assert.deepEqual(
    named.filter((name) => !["ci", "run"].includes(name) && !Object.hasOwn(scripts, name)),
    [],
  );
  assert.deepEqual(
    ["start", "demo", "test", "check", "bench", "build", "deploy"].filter((name) => !named.includes(name)),
    [],
  );
});

for (const document of ["README.md", "SECURITY.md", "TECHNICAL.md", "CONTRIBUTING.md"]) {
  test(`DC-03: every path that ${document} names exists`, async () => {
    const text = await readText(document);
    const paths = Array.from(text.matchAll(/`((?:src|tests|fixtures)\/[^`\s]*)`/g), ([, path]) => path ?? "");
    // `<name>` stands for a file that the reader is about to make.
    const real = paths.filter((path) => !path.includes("<"));
    assert.ok(real.length > 0);
    const missing = await Promise.all(real.map(async (path) => ((await exists(path)) ? [] : [path])));
    assert.deepEqual(missing.flat(), []);
  });
}

interface Threat {
  readonly threat: string;
  /** Where the control is, in backticks. */
  readonly file: string;
  readonly proofs: readonly { readonly path: string; readonly quote: string }[];
}

async function readThreats(): Promise<readonly Threat[]> {
  const [, section = ""] = /^## Threats\n([\s\S]*?)^## /m.exec(await readText("SECURITY.md")) ?? [];
  const [, ...rows] = rowsOf(section);
  return rows.map(([threat = "", , file = "", tests = ""]) => {
    const proofs = [...tests.matchAll(/`(tests\/[^`]+)`, "([^"]+)"/g)];
    return { threat, file, proofs: proofs.map(([, path = "", quote = ""]) => ({ path, quote })) };
  });
}

/** Titles as they are written: `${…}` of a template stands for itself. */
function titlesOf(source: string): readonly string[] {
  const titles = source.matchAll(/\b(?:test|it|describe)(?:\.\w+)?\(\s*(?:"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g);
  return Array.from(titles, ([, plain, template]) => plain ?? template ?? "");
}

/** "row 1" is not "row 10". */
function isQuoted(title: string, quote: string): boolean {
  const at = title.indexOf(quote);
  return at !== -1 && !(/\d$/.test(quote) && /^\d/.test(title.slice(at + quote.length)));
}

test("DC-02: every threat of SECURITY.md names a test file with such a title", async () => {
  const threats = await readThreats();
  assert.ok(threats.length > 20, `${threats.length} threats`);
  const wrong: string[] = [];
  for (const { threat, proofs } of threats) {
    if (proofs.length === 0) wrong.push(`${threat}: no test`);
    for (const { path, quote } of proofs) {
      const titles = (await exists(path)) ? titlesOf(await readText(path)) : [];
      if (!titles.some((title) => isQuoted(title, quote))) wrong.push(`${threat}: ${path} has no "${quote}"`);
    }
  }
  assert.deepEqual(wrong, []);
});

test("DC-02: every threat of SECURITY.md names a file of the product", async () => {
  const threats = await readThreats();
  assert.deepEqual(
    threats.filter(({ file }) => !/^`src\/[^`]+\.ts`/.test(file)).map(({ threat }) => threat),
    [],
  );
});

test("self-check: a quote that ends in a digit does not match a longer number", () => {
  assert.ok(isQuoted("row 1 / OA-06: no challenge", "row 1"));
  assert.ok(!isQuoted("row 10 / AP-03: twenty posts", "row 1"));
});
