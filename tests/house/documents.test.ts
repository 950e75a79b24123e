// What the documents name, against the tree: commands, paths, links, tests.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DOCUMENTS, exists, fences, readText, rowsOf, stepsOf } from "./documents.ts";

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
    // What a guide is about to make is not there yet.
    const made = stepsOf(text).filter(({ language }) => language !== "diff");
    const real = paths.filter((path) => !path.includes("<") && !made.some((step) => step.path === path));
    assert.ok(real.length > 0);
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
