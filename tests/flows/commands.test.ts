// The commands of the README, as a person runs them.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ROOT } from "../../fixtures/bundle.ts";
import { freePort } from "../../fixtures/workerd.ts";
import { commandsIn, type Ended, launch, launchScript, type Running, runInShell, start } from "../support/command.ts";

describe("npm start", () => {
  test("LD-01: a taken port is one line that says what to do, exit 1", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const { code, stderr } = await start("--port", String(port)).ended;
    server.close();
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^Port ${port} is taken: .*npm start -- --port \\d+\\n$`));
  });

  const mistakes: readonly [args: readonly string[], message: RegExp][] = [
    [["--prot", "8787"], /^Unknown option '--prot'\. See: npm start -- --help\n$/],
    [["--port", "many"], /^--port takes a number from 1 to 65535, not 'many'\. See: npm start -- --help\n$/],
    [["8787"], /^Unexpected argument '8787'\. .*npm start -- --help\n$/],
    [["--fault", "all"], /^--fault takes one of throttled, .*, not 'all'\. See: npm start -- --help\n$/],
    [["--fault"], /^Option '--fault <value>' argument missing\. See: npm start -- --help\n$/],
    [["--access", "--port", "65535"], /^--access needs the next port too: .*npm start -- --help\n$/],
  ];
  for (const [args, message] of mistakes) {
    test(`LD-01: ${args.join(" ")} is one line that says what is wrong, exit 1`, async () => {
      const { code, stderr } = await start(...args).ended;
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }

  test("LD-01: --help says what there is, exit 0", async () => {
    const { code, stdout } = await launch("npm", ["start", "--silent", "--", "--help"]).ended;
    assert.equal(code, 0);
    assert.match(stdout, /--port N/);
  });
});

describe("npm start on a free port", () => {
  let running: Running;
  let output: string;
  let port: number;
  before(async () => {
    port = await freePort();
    running = start("--port", String(port));
    output = await running.printed("Ctrl-C stops everything.");
  });
  after(() => running.child.kill("SIGKILL"));

  test("LD-01: prints the address for a client and a whole token", () => {
    assert.ok(output.includes(`http://127.0.0.1:${port}/mcp`));
    assert.match(output, /^m365a\.[\w-]{22}\.[\w-]{59}$/m);
  });

  test("LD-01: the three commands work as printed", async () => {
    const commands = commandsIn(output);
    assert.equal(commands.length, 3);
    const [tools, emails, sent] = await Promise.all(commands.map(runInShell));
    assert.deepEqual(tools.result.tools.map(({ name }: { name: string }) => name).slice(0, 1), ["getEmails"]);
    assert.equal(emails.result.structuredContent.emails.length, 3);
    assert.equal(sent.result.structuredContent.sent, true);
  });

  test("DC-01: the curl commands of the README answer", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const commands = [...readme.matchAll(/^```sh\n(curl [\s\S]*?)^```$/gm)].map(([, command = ""]) => command);
    assert.ok(commands.length > 0);
    for (const command of commands) {
      const answer = await runInShell(command.replaceAll("8787", String(port)));
      assert.equal(answer.error, undefined, command);
    }
  });

  test("DX-12: /health answers 200", async () => {
    assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  });

  for (const clientId of ["test-client", "test"]) {
    test(`OA-10: ${clientId} is known, with and without a path`, async () => {
      for (const redirectUri of [
        "http://localhost:3000/callback",
        "http://127.0.0.1:9/",
        "http://[::1]:65000/callback",
      ]) {
        const query = new URLSearchParams({
          client_id: clientId,
          redirect_uri: redirectUri,
          response_type: "code",
          code_challenge: "x".repeat(43),
          code_challenge_method: "S256",
        });
        const response = await fetch(`http://127.0.0.1:${port}/authorize?${query}`, { redirect: "manual" });
        assert.equal(response.status, 200, redirectUri);
      }
    });
  }

  test("LD-01: an interrupt stops everything, exit 0", async () => {
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /Stopping\.\n$/);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
  });
});

/** LD-02, with the two that came later. */
const SCRIPTS = [
  ...["start", "demo", "dev", "build", "build:ci", "check", "type-check", "lint", "lint:fix", "format", "format:check"],
  ...["validate", "test", "bench", "clean", "deploy", "check:deploy", "soak"],
];

test("LD-02: every script is there, and the file that it runs", async () => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  assert.deepEqual(
    SCRIPTS.filter((name) => scripts[name] === undefined),
    [],
  );
  const files = Object.values(scripts).flatMap((command) => /^tsx (\S+)/.exec(command)?.[1] ?? []);
  assert.ok(files.length > 5);
  for (const file of files) await readFile(join(ROOT, file));
});

test("LD-02: what the demo does not know is one line, exit 1", async () => {
  const { code, stderr } = await launchScript("demo", ["--fast"]).ended;
  assert.deepEqual([code, stderr], [1, "Unknown option '--fast'. See: npm run demo -- --help\n"]);
});

describe("npm run demo", () => {
  let demo: Ended;
  before(async () => {
    demo = await launch("npm", ["run", "--silent", "demo"], { COLUMNS: "60" }).ended;
  });

  test("LD-02: the demo ends well", () => {
    assert.deepEqual({ code: demo.code, stderr: demo.stderr.replace(/^npm warn .*\n/gm, "") }, { code: 0, stderr: "" });
    assert.match(demo.stdout, /Done: \d+ steps/);
  });

  test("LD-02: the demo tells the story in its order", () => {
    const milestones = [
      "It lists the tools",
      "← 401",
      "It discovers",
      "It registers",
      "Ada approves",
      "Ada signs in at Entra",
      "The client redeems the code",
      "Access review: three names still open",
      "← 403",
      "It calls sendEmail, with the wider token",
      "sent items",
      "mcpTool: sendEmail",
      "Somebody replays the code",
      "invalid_grant",
      "A day in the life",
      "Daily summary",
      "→ getCalendarEvents",
      "Stand-up",
      'subject: "My day"',
      "Meeting coordination",
      "→ checkAvailability",
      "→ createTeamsMeeting",
      "invited: 1",
      "Team update",
      "→ sendTeamsMessage",
      "Contact look-up",
      "Liam O'Brien — liam.obrien@northwind.example",
      "The gateway's audit log",
      "12 calls, 14 requests, all of them Ada's",
      "steps, every answer as expected",
    ];
    const places = milestones.map((text) => demo.stdout.indexOf(text));
    assert.ok(!places.includes(-1), `missing: ${milestones.filter((_, index) => places[index] === -1).join(", ")}`);
    assert.deepEqual(
      places,
      [...places].sort((a, b) => a - b),
    );
  });

  test("TL-11: the audit log at the end of the demo names every call of the day, who made it, and its log id", () => {
    const [, log = ""] = demo.stdout.split("The gateway's audit log, all of it\n");
    const calls = [...log.matchAll(/^ {2}(\w+), ada\.novak@contoso\.example\n {4}request [\da-f-]{36}$/gm)];
    assert.deepEqual(
      calls.map(([, tool]) => tool),
      [
        ...["getEmails", "sendEmail"],
        ...["getCalendarEvents", "getEmails", "sendEmail"],
        ...["checkAvailability", "createTeamsMeeting"],
        ...["listChannels", "listChannels", "sendTeamsMessage"],
        ...["getContacts", "sendEmail"],
      ],
    );
    assert.equal(log.replace(/\n\s+/g, " ").match(/log id [\dA-F]{26}/g)?.length, 14);
    assert.match(log, /no payload kept/);
  });

  test("LD-02: the demo shows no whole credential", () => {
    // Lines are wrapped, so they are joined again before the search.
    const text = demo.stdout.replace(/\n\s*/g, "");
    assert.match(text, /m365a\.[\w-]{6}…/);
    assert.ok(!/m365[acrs]\.[\w-]{7}/.test(text), "one of our tokens");
    assert.ok(!/simulated(-[a-z-]+\.|~)[\w-]{7}/.test(text), "a Microsoft credential");
    assert.ok(!/code_verifier=.{6}[^…]/.test(text), "a code verifier");
  });

  test("LD-02: the demo fits a narrow terminal and is plain text where nobody looks", () => {
    assert.ok(Math.max(...demo.stdout.split("\n").map((line) => line.length)) <= 60);
    assert.ok(!demo.stdout.includes("\x1b"));
  });
});
