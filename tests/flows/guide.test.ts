// Follows the guides of CONTRIBUTING.md to the letter, in a copy of the tree.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT } from "../../fixtures/bundle.ts";
import { commandsOf, readText, type Step, sectionOf, stepsOf } from "../house/documents.ts";

// biome-ignore format: a list reads best filled
const COPIED = ["src", "fixtures", "tests", "package.json", "tsconfig.json", "wrangler.toml.example", ".dev.vars.example",
  "README.md", "SECURITY.md", "OPERATIONS.md", "TECHNICAL.md", "CONTRIBUTING.md", "CHANGELOG.md"];

const guide = await readText("CONTRIBUTING.md");
const steps = stepsOf(guide);
const toolSteps = stepsOf(sectionOf(guide, "## To add a tool"));

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "m365-guide-"));
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
after(() => rm(folder, { recursive: true, force: true }));

/** Reading the guide's resource, from the guide's fixture. */
const READS_MANAGER = `import assert from "node:assert/strict";
import { test } from "node:test";
import { Lab } from "../tools/lab.ts";
test("read", async () => {
  const lab = await Lab.start();
  const outcome = await lab.outcome({ kind: "resource", name: "manager" });
  await lab.close();
  assert.match(JSON.stringify(outcome), /Mira Horvat/);
});
`;

async function follow({ path, language, body }: Step): Promise<void> {
  const file = join(folder, path);
  await writeFile(file, language === "diff" ? change(await readFile(file, "utf8"), body, path) : body);
}

/** Puts each line with a plus behind the line before it, which has to stand in the file once. */
function change(text: string, diff: string, path: string): string {
  const lines = text.split("\n");
  let at = -1;
  for (const line of diff.trimEnd().split("\n")) {
    const content = line.slice(1);
    if (line.startsWith("+")) {
      assert.ok(at >= 0, `${path}: an addition needs a line before it`);
      lines.splice(at + 1, 0, content);
      at += 1;
    } else {
      assert.equal(lines.filter((one) => one === content).length, 1, `${path} has this line once: ${content}`);
      at = lines.indexOf(content);
    }
  }
  return lines.join("\n");
}

function run(command: string): Promise<{ code: number | string; output: string }> {
  return new Promise((resolve) => {
    // A test inside a test would report to the outer one.
    const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
    execFile("sh", ["-c", command], { cwd: folder, env, maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, output: stdout + stderr }),
    );
  });
}

async function succeed(command: string): Promise<void> {
  const { code, output } = await run(command);
  const wrong = output.split("\n").filter((line) => /^\s*(not ok|✖)|rror/.test(line));
  assert.equal(code, 0, [command, ...wrong.slice(0, 20), output.slice(-500)].join("\n"));
}

test("DC-04: the guide to add a tool has a tool, its line, a fixture, a test, and the commands that check them", () => {
  assert.deepEqual(
    toolSteps.map(({ path, language }) => `${language} ${path}`),
    [
      "ts src/tools/count-unread.ts",
      "diff src/tools/index.ts",
      "json fixtures/graph/count-unread.json",
      "ts tests/tools/count-unread.test.ts",
    ],
  );
});

test("DC-04: a tool that is added by the guide compiles, is listed, works and passes what holds for every tool", async () => {
  for (const step of toolSteps) await follow(step);
  for (const { text } of commandsOf(sectionOf(guide, "## To add a tool"))) {
    // The format is that of a git checkout, which the copy is not.
    if (text !== "npm run format") await succeed(text);
  }
  const surface = JSON.parse(await readFile(join(folder, "tests/house/surface.json"), "utf8"));
  assert.equal(surface.tools.countUnread, "Mail.Read");
  assert.match(
    await readFile(join(folder, "README.md"), "utf8"),
    /\| `countUnread` +\| Counts the unread emails .*\| `Mail\.Read` +\|/,
  );
});

test("EP-15, DC-04: a resource, a prompt and a route that are added by the guide compile and are there", async () => {
  const others = steps.filter(({ path }) => !toolSteps.some((step) => step.path === path));
  assert.deepEqual(
    others.map(({ path }) => path),
    ["src/resources/index.ts", "fixtures/graph/manager.json", "src/prompts/index.ts", "src/routes.ts"],
  );
  for (const step of others) await follow(step);
  await succeed("npx tsc -p src");
  await succeed("UPDATE_GOLDEN=1 npm run test:fast tests/house/surface.test.ts");
  const { routes, resources, prompts } = JSON.parse(await readFile(join(folder, "tests/house/surface.json"), "utf8"));
  assert.equal(resources["microsoft://manager"], "manager");
  assert.match(prompts.inboxZero, /^inbox zero$/i);
  assert.equal(routes["/robots.txt"], "GET; public-document; cors public");
  await writeFile(join(folder, "tests/resources/manager.test.ts"), READS_MANAGER);
  await succeed("npx tsx --test --test-force-exit tests/resources/manager.test.ts");
});
