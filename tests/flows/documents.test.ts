// The commands of the documents, as a reader runs them, and what they say to wrangler.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { approve, Browser } from "../../fixtures/browser.ts";
import { bundleWorker, MAX_UPLOAD_KIB } from "../../fixtures/bundle.ts";
import { ExampleClient } from "../../fixtures/example-client.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { type Command, commandsOf, exists, readText } from "../house/documents.ts";
import { type Ended, launch } from "../support/command.ts";
import { openWranglerHelp, type WranglerHelp } from "../support/wrangler-help.ts";

const OPERATOR_TOKEN = "operator-of-the-test-of-documents-0123456789";

/** Run by another test or by hand, because they take minutes, install, or start a server of their own. */
const RUN_ELSEWHERE: readonly (readonly [command: RegExp, where: string])[] = [
  [/^npm ci\b/, "continuous integration begins with it"],
  [/^npm (ci && npm )?(start|run demo)$/, "tests/flows/commands.test.ts"],
  [/^npm (test|run check|run build|run validate)\b/, "continuous integration"],
  [/^npm run (bench|soak)\b/, "by hand: minutes of load"],
  [/^npm run (keys|check:deploy)\b/, "tests of those commands"],
  [/^(UPDATE_GOLDEN=1 |npm run (type-check|format)$|npx tsx --test )/, "tests/flows/guide.test.ts"],
  [/^jq /, "tests/house/log-filters.test.ts"],
  [/^npx mcp-remote /, "tests/flows/mcp-remote.test.ts"],
  [/^W=/, "here, with the address of the server under test"],
];

/** Left out by their remark: no account here, or no end. */
const EXCLUDED = ["needs an account", "by hand"];

/** What may be left out: it reaches an account or another machine. */
function reachesOut({ text }: Command): boolean {
  const hosts = Array.from(text.matchAll(/https:\/\/([\w.-]+)/g), ([, host = ""]) => host);
  return /^npx wrangler /.test(text) || /^npm run (backup|restore) .*--env /.test(text) || hosts.length > 0;
}

const DOCUMENTS = ["README.md", "OPERATIONS.md", "CONTRIBUTING.md"] as const;

const all = new Map(
  await Promise.all(DOCUMENTS.map(async (document) => [document, commandsOf(await readText(document))] as const)),
);

describe("the commands of the documents", () => {
  let stack: Stack;
  let folder: string;
  let token: string;
  before(async () => {
    stack = await startStack({ bindings: { OPERATOR_TOKEN } });
    folder = await mkdtemp(join(tmpdir(), "m365-documents-"));
    token = await signIn(stack.url);
  });
  after(async () => {
    await stack?.dispose();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  for (const [document, commands] of all) {
    test(`DC-01: what ${document} leaves out of this test needs an account or another machine`, () => {
      const left = commands.filter(({ remark }) => EXCLUDED.includes(remark ?? ""));
      assert.deepEqual(
        left.filter((command) => !reachesOut(command)),
        [],
      );
    });

    test(`DC-01: the other commands of ${document} work as they stand`, async (context) => {
      const shell = new Shell(folder, { W: stack.url, TOKEN: token, OPERATOR_TOKEN });
      await shell.open();
      let ran = 0;
      for (const command of commands) {
        if (EXCLUDED.includes(command.remark ?? "")) continue;
        if (RUN_ELSEWHERE.some(([pattern]) => pattern.test(command.text))) continue;
        const [, script] = /^(fixtures\/\S+)/.exec(command.text) ?? [];
        if (script !== undefined && !(await exists(script))) {
          context.diagnostic(`${script} is not there; the test of paths says so`);
          continue;
        }
        if (command.text.startsWith("CODE=")) await shell.set("CODE", await codeFor(shell.lastOutput));
        else check(command, await shell.run(command.text.replaceAll("http://127.0.0.1:8787", stack.url)));
        ran += 1;
      }
      context.diagnostic(`${ran} of ${commands.length} commands`);
      assert.deepEqual(stack.trespasses, []);
    });
  }

  test("DC-06: README.md states the size of the upload, and that it is over our limit exactly while it is", async () => {
    const readme = await readText("README.md");
    const kib = (await bundleWorker()).gzipBytes / 1024;
    const [, stated = ""] = /^\| this server, complete +\| (\d+) KiB /m.exec(readme) ?? [];
    assert.ok(Math.abs(Number(stated) - kib) <= 1, `README.md says ${stated || "no"} KiB, the upload has ${kib}`);
    assert.equal(readme.includes(`is over the ${MAX_UPLOAD_KIB} KiB`), kib > MAX_UPLOAD_KIB);
  });

  test("LD-08: a token survives a new runtime over the same storage and keys", async () => {
    const kept = await signIn(stack.url);
    await stack.restart();
    const message = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "authenticate", arguments: {} } };
    const headers = { Authorization: `Bearer ${kept}` };
    const answer = await fetch(`${stack.url}/mcp`, { method: "POST", headers, body: JSON.stringify(message) });
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /"authenticated":true/);
  });
});

function check({ text, remark }: Command, { code, stdout, stderr }: Ended): void {
  const printed = `${text}\n${stdout.slice(0, 1000)}${stderr.slice(0, 1000)}`;
  assert.equal(code, 0, printed);
  const [, wanted] = /^prints (.+)$/.exec(remark ?? "") ?? [];
  if (wanted !== undefined) assert.ok(stdout.includes(wanted), `it does not print ${wanted}: ${printed}`);
  // A refusal that is meant is asked for by what it prints.
  else assert.ok(!isFailure(stdout), printed);
}

function isFailure(text: string): boolean {
  if (!text.startsWith("{")) return false;
  const { error, result } = JSON.parse(text) as { error?: unknown; result?: { isError?: boolean } };
  return error !== undefined || result?.isError === true;
}

async function signIn(url: string): Promise<string> {
  const client = await ExampleClient.connect({
    serverUrl: `${url}/mcp`,
    redirectUrl: "http://127.0.0.1:33418/callback",
    signIn: (authorizeUrl) => approve(new Browser(), authorizeUrl.href),
  });
  await client.signIn();
  const token = client.tokens?.access_token;
  await client.close();
  assert.ok(token !== undefined);
  return token;
}

/** A person opens the printed address and reads the code in the address of the page that follows. */
async function codeFor(printed: string): Promise<string> {
  const [address = ""] = /https?:\/\/\S+\/authorize\?\S+/.exec(printed) ?? [];
  return (await approve(new Browser(), address)).searchParams.get("code") ?? "";
}

/** A terminal: what one command sets, the next one has. */
class Shell {
  lastOutput = "";
  readonly #state: string;
  readonly #first: Readonly<Record<string, string>>;

  constructor(folder: string, first: Readonly<Record<string, string>>) {
    this.#state = join(folder, "state.sh");
    this.#first = first;
  }

  async open(): Promise<void> {
    await writeFile(this.#state, "");
    for (const [name, value] of Object.entries(this.#first)) await this.set(name, value);
  }

  async set(name: string, value: string): Promise<void> {
    await writeFile(this.#state, `${await readFile(this.#state, "utf8")}\nexport ${name}='${value}'`);
  }

  async run(command: string): Promise<Ended> {
    const script = `. "${this.#state}"; set -a; ${command}\ncode=$?; export -p > "${this.#state}"; exit $code`;
    const { code, stdout, stderr } = await launch("sh", ["-c", script]).ended;
    if (stdout !== "") this.lastOutput = stdout;
    return { code, stdout, stderr };
  }
}

/** `npx wrangler …` wherever it stands, in a block or in a sentence. */
async function wranglerLines(): Promise<string[]> {
  const texts = await Promise.all(
    ["README.md", "OPERATIONS.md", "SECURITY.md", "TECHNICAL.md", "CONTRIBUTING.md", "wrangler.toml.example"].map(
      readText,
    ),
  );
  const lines = texts.flatMap((text) => [
    ...commandsOf(text).map((command) => command.text),
    ...Array.from(text.matchAll(/`((?:npx )?wrangler [a-z][^`]*)`/g), ([, line = ""]) => line.replace(/\s+/g, " ")),
  ]);
  return [...new Set(lines.filter((line) => /^(npx )?wrangler /.test(line)).map((line) => line.replace(/^npx /, "")))];
}

describe("DP-01: every wrangler line resolves in the pinned version", () => {
  let help: WranglerHelp;
  before(async () => {
    help = await openWranglerHelp();
  });
  after(() => help?.keep());
  const helpOf = (path: readonly string[]) => help.of(path);

  test("self-check: an unknown subcommand and an unknown flag are found", async () => {
    assert.match(await problemOf("wrangler kv namespace make X", helpOf), /no subcommand/);
    assert.match(await problemOf("wrangler tail --formatt json", helpOf), /no option --formatt/);
    assert.equal(await problemOf("wrangler tail --format json > x", helpOf), "");
  });

  test("each line of the documents", async () => {
    const lines = await wranglerLines();
    assert.ok(lines.length > 20, `${lines.length} lines`);
    const problems: string[] = [];
    for (const line of lines) problems.push(await problemOf(line, helpOf));
    assert.deepEqual(
      problems.filter((problem) => problem !== ""),
      [],
    );
  });
});

/** What wrangler's own help does not know of a line; empty when it knows all of it. */
async function problemOf(line: string, helpOf: (path: readonly string[]) => Promise<string>): Promise<string> {
  const [, ...words] = line.replace(/\s[<>|].*$/, "").match(/"[^"]*"|\S+/g) ?? [];
  const flags = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*$/, ""));
  const path: string[] = [];
  let text = await helpOf(path);
  // A help with COMMANDS wants one more word; one without takes what follows as arguments.
  for (let word = words[0]; isGroup(text) && word !== undefined && !word.startsWith("-"); word = words[path.length]) {
    const entry = commandIn(text, [...path, word]);
    if (entry === undefined) return `${line}: no subcommand ${word}`;
    path.push(word);
    // With arguments of its own it is no group, and what every command takes stands here already.
    if (/^ [<[]/.test(entry) && flags.every((flag) => hasFlag(text, flag))) return "";
    text = await helpOf(path);
  }
  const unknown = flags.find((flag) => !hasFlag(text, flag));
  return unknown === undefined ? "" : `${line}: no option ${unknown}`;
}

function isGroup(help: string): boolean {
  return /^ {2}wrangler \S/m.test(help);
}

/** What stands behind a command in the list of its group. */
function commandIn(help: string, path: readonly string[]): string | undefined {
  return new RegExp(`^ {2}wrangler ${path.join(" ")}((?: .*)?)$`, "m").exec(help)?.[1];
}

function hasFlag(help: string, flag: string): boolean {
  return new RegExp(`(^|[\\s,])${flag}[\\s,]`, "m").test(help);
}
