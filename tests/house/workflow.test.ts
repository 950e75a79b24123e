// CI-01, DC-05: what continuous integration runs exists, and what it may do is little.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { ROOT } from "./source.ts";

const readText = (path: string) => readFile(join(ROOT, path), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: { readonly push: { readonly branches: readonly string[] } };
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      { readonly permissions?: unknown; readonly strategy: { matrix: object }; readonly steps: readonly Step[] }
    >
  >;
}

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
  readonly c8: { readonly lines: number; readonly "check-coverage": boolean; readonly exclude: readonly string[] };
}

interface Form {
  readonly body: readonly { readonly type: string; readonly attributes: { readonly value?: string } }[];
}

const text = await readText(".github/workflows/ci.yml");
const workflow = parse(text) as Workflow;
const packageJson = JSON.parse(await readText("package.json")) as Package;
const runner = await readText(".ci/run");
const readme = await readText("README.md");
const template = await readText(".github/PULL_REQUEST_TEMPLATE.md");
const form = parse(await readText(".github/ISSUE_TEMPLATE/bug.yml")) as Form;
const excluded = packageJson.c8.exclude;
const excludedTexts = await Promise.all(excluded.filter((path) => !path.includes("*")).map(readText));
const [job] = Object.values(workflow.jobs);
const runs = (job?.steps ?? []).flatMap(({ run }) => run ?? []);

test("CI-01: it runs on pushes to main and develop, on pull requests, and with each Node that is promised", () => {
  assert.deepEqual(Object.keys(workflow.on), ["push", "pull_request"]);
  assert.deepEqual(workflow.on.push.branches, ["main", "develop"]);
  assert.deepEqual(job?.strategy.matrix, { node: ["20", "22", "24"] });
});

test("CI-01: types, lint, format, tests, coverage, both dry runs, audit and build, after npm ci", () => {
  const wanted = [
    ...["npm ci", "npm run type-check", "npm run lint", "npm run format:check", "npm test", "npm run test:coverage"],
    ...["npm run deploy -- --dry-run --env=", "npm run deploy -- --dry-run --env=production"],
    ...["npm audit --omit=dev", "npm run build"],
  ];
  assert.deepEqual(
    runs.filter((run) => run.startsWith("npm ")),
    wanted,
  );
});

test("CI-01: each npm script that it runs exists", () => {
  const named = runs.flatMap((run) => Array.from(run.matchAll(/\bnpm run ([\w:-]+)/g), ([, name]) => name ?? ""));
  assert.ok(named.length > 4);
  assert.deepEqual(
    named.filter((name) => !Object.hasOwn(packageJson.scripts, name)),
    [],
  );
});

test("CI-01: it may read the code and nothing else; actions are pinned to a commit and have no credentials left", () => {
  assert.deepEqual(workflow.permissions, { contents: "read" });
  assert.equal(Object.keys(workflow.jobs).length, 1);
  assert.equal(job?.permissions, undefined);
  assert.doesNotMatch(text, /secrets\.|pull_request_target/);
  const used = (job?.steps ?? []).filter(({ uses }) => uses !== undefined);
  assert.deepEqual(
    used.filter(({ uses }) => !/^actions\/[a-z-]+@[0-9a-f]{40}$/.test(uses ?? "")),
    [],
  );
  assert.equal(used[0]?.with?.["persist-credentials"], false);
});

test("LD-05: coverage is held at 80 % of lines, without the entry, the objects, and files of types alone", () => {
  const { lines } = packageJson.c8;
  assert.deepEqual(
    [lines, packageJson.c8["check-coverage"], excluded.slice(0, 2)],
    [80, true, ["src/worker.ts", "src/agent/**"]],
  );
  const [, ...types] = excludedTexts;
  for (const source of types) assert.doesNotMatch(source, /^(export )?(async )?(const|let|function|class|enum)\b/m);
});

test("CI-01: .ci/run runs the README's test command", () => {
  assert.match(readme, /`npm test`/);
  assert.match(runner, /^npm ci$[\s\S]*^npm test$/m);
});

test("DC-05: whoever proposes or reports is asked to keep tokens out, and told where security problems go", () => {
  assert.match(template, /no token, secret, cookie/);
  const [first, ...others] = form.body;
  assert.equal(first?.type, "markdown");
  assert.match(first.attributes.value ?? "", /Do not paste tokens[\s\S]*`SECURITY\.md`/);
  assert.equal(others.at(-1)?.type, "checkboxes");
  assert.match(template, /SECURITY\.md/);
});
