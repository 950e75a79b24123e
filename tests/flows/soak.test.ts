// The soak, short; and that it would have seen what it looks for.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { ADA, BORIS } from "../../fixtures/people.ts";
import { LogScan } from "../../fixtures/soak/log-scan.ts";
import { BODY_MARK, COPY_TO, MailBook, type Told } from "../../fixtures/soak/mail.ts";
import { createRandom } from "../../fixtures/soak/random.ts";
import { judgeMemory } from "../../fixtures/soak/run.ts";
import { TRANSPORTS } from "../../fixtures/soak/transports.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { launchScript } from "../support/command.ts";
import { registerClient, signInWith } from "../support/oauth-client.ts";

const run = (...args: readonly string[]) => launchScript("soak", args).ended;

describe("npm run soak", () => {
  test("a few seconds with a few grants pass without a violation, and every transport was used", async () => {
    const { code, stdout, stderr } = await run("--minutes", "0.1", "--grants", "4", "--seed", "7");
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, stdout);
    for (const name of [...Object.keys(TRANSPORTS), "sign-in"]) assert.ok(stdout.includes(`\n${name} `), name);
    assert.match(stdout, /\nmail +\d+ answered as sent and arrived once/);
    assert.match(stdout, /\nNo violation\.\n$/);
  });

  const mistakes: readonly [args: readonly string[], message: RegExp][] = [
    [["--minutes", "0"], /^--minutes takes a number above 0 and up to 720, not '0'\. See: npm run soak -- --help\n$/],
    [["--grants", "many"], /^--grants takes a number from 1 to 5000, not 'many'\. See: .*\n$/],
    [["--sed", "1"], /^Unknown option '--sed'\. See: .*\n$/],
  ];
  for (const [args, message] of mistakes) {
    test(`${args.join(" ")} is one line that says what is wrong, exit 1`, async () => {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});

describe("what the soak looks for", () => {
  let stack: Stack;
  let token: string;
  before(async () => {
    stack = await startStack();
    token = (await signInWith(stack, await registerClient(stack))).accessToken;
  });
  after(() => stack.dispose());

  /** Sends a mail some times, and tells the book something of it. */
  async function judge(times: number, told: Told | undefined) {
    stack.graph.reset();
    const mails = new MailBook();
    const { id, args } = mails.next(BORIS.email, true);
    const params = { name: "sendEmail", arguments: args };
    for (let sent = 0; sent < times; sent += 1) {
      const heard = await TRANSPORTS["POST /mcp"](stack.url, { method: "tools/call", params, token });
      assert.ok(!JSON.stringify(heard.body).includes("isError"));
    }
    if (told !== undefined) mails.note(id, BORIS.email, told);
    return mails.judge(stack.graph);
  }

  const cases: readonly (readonly [
    what: string,
    times: number,
    told: Told | undefined,
    problem: RegExp | undefined,
  ])[] = [
    ["a mail that arrived once is as it should be", 1, "sent", undefined],
    ["a refused mail that is nowhere is as it should be", 0, "refused", undefined],
    ["a mail of which nobody could know may be there", 1, "uncertain", undefined],
    ["a mail of which nobody could know may be nowhere", 0, "uncertain", undefined],
    ["a lost mail is found", 0, "sent", /^lost mail/],
    ["a duplicated mail is found", 2, "sent", /^duplicated mail/],
    ["a mail that was sent twice and answered once with a failure is found", 2, "uncertain", /^duplicated mail/],
    ["a mail that was refused and sent is found", 1, "refused", /refused and arrived$/],
    ["a mail that nobody asked for is found", 1, undefined, /nobody was told$/],
  ];
  for (const [what, times, told, problem] of cases) {
    test(what, async () => {
      const { problems } = await judge(times, told);
      assert.equal(problems.length, problem === undefined ? 0 : 1, problems.join("; "));
      if (problem !== undefined) assert.match(problems[0] ?? "", problem);
    });
  }

  test("ER-05, LG-07: a log line with a credential, a mail, a correspondent or a fault is found", () => {
    const [received] = stack.graph.account(ADA).messages;
    const lines = [
      `{"token":"${token}"}`,
      `{"bearer":"simulated-graph-at.${"x".repeat(40)}"}`,
      `{"context":"${BODY_MARK}1"}`,
      `{"context":"${COPY_TO}"}`,
      JSON.stringify({ context: received?.message.subject }),
      '{"message":"unexpected fault","error":"TypeError"}',
    ];
    for (const line of lines) {
      const logs = [line];
      const scan = new LogScan({ logs, graph: stack.graph });
      scan.read();
      assert.equal(scan.report().problems.length, 1, line);
      assert.deepEqual(logs, []);
    }
    const clean = new LogScan({ logs: ['{"level":"INFO","message":"tool: getEmails"}'], graph: stack.graph });
    clean.read();
    assert.deepEqual(clean.report(), { lines: 1, problems: [] });
  });

  test("memory that grew is found, the Worker's own heap much sooner than workerd's whole", () => {
    const whole = { early: 100, late: 150 };
    const judge = (early: number, late: number) => judgeMemory({ heap: { early, late }, whole, isJudged: true });
    assert.deepEqual([judge(4, 8), judge(4, 10)], [[], ["the Worker's heap grew from 4 to 10 MiB"]]);
    assert.deepEqual(judgeMemory({ heap: undefined, whole: { early: 100, late: 300 }, isJudged: true }), [
      "workerd grew from 100 to 300 MiB",
    ]);
    assert.deepEqual(judgeMemory({ heap: { early: 4, late: 40 }, whole, isJudged: false }), []);
  });

  test("the same seed draws the same sequence", () => {
    const draw = (seed: number) =>
      Array.from(
        { length: 20 },
        (
          (random) => () =>
            random.below(1000)
        )(createRandom(seed)),
      );
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    assert.ok(new Set(draw(3)).size > 10);
  });
});
