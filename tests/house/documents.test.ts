// What the documents say of the tree, against the tree. After a change of the catalogue:
//     UPDATE_GOLDEN=1 npm run test:fast tests/house/documents.test.ts && npx biome format --write README.md
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CALLS_PER_MINUTE } from "../../src/agent/usage.ts";
import { CATALOG } from "../../src/mcp/catalog.ts";
import { LEGACY_REVISIONS, MODERN_REVISION } from "../../src/mcp/revisions.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { DOCUMENTS, exists, fences, readText, rowsOf, sectionOf } from "./documents.ts";
import { ROOT } from "./source.ts";

/** The catalogue as README.md shows it, in the order of `tools/list`. */
function toolTable(): string {
  const rows = TOOLS.map(({ name, title, scopes }) => {
    const permissions = scopes.map((scope) => `\`${scope}\``).join(", ");
    return `| \`${name}\` | ${title} | ${permissions || "none"} |`;
  });
  const head = ["| tool | what it does | Microsoft permission |", "|---|---|---|"];
  return [`${TOOLS.length} tools:`, "", ...head, ...rows].join("\n");
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

for (const document of DOCUMENTS) {
  test(`DC-01: every npm script that ${document} names is in package.json`, async () => {
    const { scripts } = JSON.parse(await readText("package.json")) as { scripts: Record<string, string> };
    const named = [...(await readText(document)).matchAll(/npm (?:run (?:--silent )?)?([a-z][\w:-]*)/g)];
    // npm's own commands; `run` is left of `npm run <name>`.
    const own = ["ci", "run", "audit", "outdated", "packages", "package", "install"];
    assert.deepEqual(
      named.map(([, name = ""]) => name).filter((name) => !own.includes(name) && !Object.hasOwn(scripts, name)),
      [],
    );
  });

  test(`DC-03: every path that ${document} names exists`, async () => {
    const text = await readText(document);
    const paths = Array.from(
      text.matchAll(/`((?:src|tests|fixtures|\.github)\/[^`\s]*)[^`]*`/g),
      ([, path]) => path ?? "",
    );
    // `<name>` stands for a file that the reader is about to make.
    const real = paths.filter((path) => !path.includes("<"));
    const missing = await Promise.all(real.map(async (path) => ((await exists(path)) ? [] : [path])));
    assert.deepEqual(missing.flat(), []);
  });

  test(`DC-03: every link of ${document} inside the tree leads somewhere`, async () => {
    const links = Array.from((await readText(document)).matchAll(/\]\((?!https?:)([^)#]*)(#[^)]+)?\)/g));
    const dead = await Promise.all(
      links.map(async ([link, file, anchor]) => {
        const target = file === "" || file === undefined ? document : file;
        if (!(await exists(target))) return [link];
        if (anchor === undefined) return [];
        const anchors = Array.from((await readText(target)).matchAll(/^#+ (.+)$/gm), ([, title = ""]) =>
          anchorOf(title),
        );
        return anchors.includes(anchor) ? [] : [link];
      }),
    );
    assert.deepEqual(dead.flat(), []);
  });
}

/** As GitHub makes it: lower case, without marks, spaces as hyphens. */
function anchorOf(title: string): string {
  return `#${title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-")}`;
}

test("DC-01: README.md names every command that somebody would type first", async () => {
  const readme = await readText("README.md");
  assert.deepEqual(
    ["start", "test", "run demo", "run check", "run bench", "run build"].filter(
      (name) => !readme.includes(`npm ${name}`),
    ),
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

test("DC-06: the documents say that Cloudflare could read data in transit and that nothing ran on a live account", async () => {
  const [readme, security, operations] = await Promise.all(["README.md", "SECURITY.md", "OPERATIONS.md"].map(readText));
  const flat = (text = "") => text.replace(/\s+/g, " ");
  for (const text of [readme, security])
    assert.match(flat(text), /TLS ends in the Worker\S* so Cloudflare could read data in transit/);
  assert.match(flat(readme), /tried against a live Microsoft tenant or a live Cloudflare account/);
  assert.match(flat(security), /Never tried on a live account/);
  assert.match(flat(operations), /Nothing here was tried on a live Cloudflare account or a live Microsoft tenant/);
});

for (const document of DOCUMENTS) {
  test(`DC-01: the JSON of ${document} is JSON`, async () => {
    for (const block of fences(await readText(document), "json")) JSON.parse(block);
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
