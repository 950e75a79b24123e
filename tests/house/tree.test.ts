// What lies in the repository, and what the packages are.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { ROOT } from "./source.ts";

const tracked = await trackedFiles();
const packageJson = JSON.parse(await readText("package.json")) as {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** What git knows or would take in; what it ignores is nobody's business. A copy without git has nothing to check. */
async function trackedFiles(): Promise<readonly string[]> {
  const arguments_ = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await promisify(execFile)("git", arguments_, { cwd: ROOT }).catch(() => ({ stdout: "" }));
  return stdout.split("\0").filter((name) => name !== "");
}

function readText(path: string): Promise<string> {
  return readFile(join(ROOT, path), "utf8").catch(() => "");
}

const needsGit = { skip: tracked.length === 0 && "not a git checkout" };

const TOP_LEVEL: ReadonlySet<string> = new Set([
  ...["src", "tests", "fixtures"],
  ...["wrangler.toml.example", "package.json", "package-lock.json", "tsconfig.json", "biome.json"],
  ...["README.md", "SECURITY.md", "OPERATIONS.md", "TECHNICAL.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"],
  ...[".ci", ".github", ".dev.vars.example", ".editorconfig", ".gitignore", ".npmrc"],
]);

test("DG-02: the top level holds what the design lists and nothing else", needsGit, () => {
  const top = new Set(tracked.map((path) => path.split("/")[0] ?? path));
  assert.deepEqual(
    [...top].filter((name) => !TOP_LEVEL.has(name)),
    [],
  );
});

test("DG-01: three packages reach the Worker", () => {
  assert.deepEqual(Object.keys(packageJson.dependencies), ["@valibot/to-json-schema", "jose", "valibot"]);
});

test("DG-01: every package is pinned to one version", () => {
  const versions = Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies });
  assert.deepEqual(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(version)),
    [],
  );
});

test("DG-01: the lockfile has the versions that package.json pins", async () => {
  const lock = JSON.parse(await readText("package-lock.json")) as {
    readonly packages: Readonly<Record<string, { readonly version?: string }>>;
  };
  const pinned = Object.entries({ ...packageJson.dependencies, ...packageJson.devDependencies });
  const locked = pinned.map(([name]) => [name, lock.packages[`node_modules/${name}`]?.version]);
  assert.deepEqual(locked, pinned);
});

test("D-25: Node 20.3 and later", () => assert.equal(packageJson.engines.node, ">=20.3"));

test("CF-06: values, built files and installed packages are ignored by git", needsGit, () => {
  const ignored = /(^|\/)(node_modules|dist|coverage|\.wrangler)\/|^(wrangler\.toml|\.dev\.vars)$/;
  assert.deepEqual(
    tracked.filter((path) => ignored.test(path)),
    [],
  );
});

/** Of somebody's machine or network; nobody else's checkout could use them. */
const LOCAL_TEXT: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a home folder", /\/(home|Users)\/(?!runner\b)[a-z][\w.-]*\//],
  ["a working folder of a machine", /(?<![\w.-])\/(work|workspace|root|mnt|private\/tmp)\//],
  ["a drive", /\b[A-Z]:\\\\?(Users|work)/],
  ["another registry than npm's", /registry\.(?!npmjs\.org)[a-z0-9.-]+\.[a-z]{2,}|\/(artifactory|nexus|verdaccio)\b/i],
  ["where a package came from", /"resolved": *"http/],
  ["a private address", /\b(10\.\d{1,3}|192\.168|172\.(1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}\b/],
];

/** The file that says what must not be anywhere is the one that has to say it. */
const SELF = "tests/house/tree.test.ts";

/** Addresses that a test refuses have to stand in it. */
const NAMES_ADDRESSES = /^(tests|fixtures)\//;

function localTexts(path: string, text: string): string[] {
  return LOCAL_TEXT.filter(([what]) => what !== "a private address" || !NAMES_ADDRESSES.test(path)).flatMap(
    ([what, pattern]) => {
      const match = pattern.exec(text);
      return match === null
        ? []
        : [`${path}:${text.slice(0, match.index).split("\n").length} has ${what}: ${match[0]}`];
    },
  );
}

test("DG-02: no tracked file names a machine or a private registry", needsGit, async () => {
  const texts = await Promise.all(
    tracked.filter((path) => path !== SELF).map(async (path) => [path, await readText(path)] as const),
  );
  assert.deepEqual(
    texts.flatMap(([path, text]) => localTexts(path, text)),
    [],
  );
});

for (const text of [
  "see /home/someone/project/notes.md",
  `cp ${["", "work", "main", "src"].join("/")}`,
  "C:\\Users\\someone",
  "https://registry.company.example/npm/",
  `"resolved": "https://${["registry", "npmjs", "org"].join(".")}/a.tgz"`,
  "curl http://192.168.1.4/",
]) {
  test(`self-check: found, ${text}`, () => assert.equal(localTexts("README.md", text).length, 1));
}

for (const text of ["npm run work/all", "GET /workbooks", "127.0.0.1:8787"]) {
  test(`self-check: left alone, ${text}`, () => assert.deepEqual(localTexts("README.md", text), []));
}

test("CF-03: the example configuration has no credentials", async () => {
  const example = `${await readText("wrangler.toml.example")}\n${await readText(".dev.vars.example")}`;
  const assigned = example
    .split("\n")
    .filter((line) => /^#? ?(MICROSOFT_CLIENT|MICROSOFT_TENANT|[A-Z_]*(KEY|SECRET|TOKEN)\w*) *= *\S/.test(line));
  assert.deepEqual(assigned, []);
});
