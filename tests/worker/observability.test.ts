// What an operator counts and searches for: LG-03, LG-05.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bundleWorker } from "../../fixtures/bundle.ts";
import { BORIS } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import {
  configureClient,
  getEmails,
  obtainCode,
  type Reply,
  redeem,
  revoke,
  rpc,
  type Session,
  signInWith,
} from "../support/oauth-client.ts";

let stack: Stack;
let session: Session;
before(async () => {
  // With METRICS that can be read, which Miniflare has not.
  const { text } = await bundleWorker("tests/support/observed-worker.ts");
  stack = await startStack({ bundle: text });
  session = await signInWith(stack, await configureClient(stack));
});
after(() => stack.dispose());

interface Point {
  readonly indexes: readonly string[];
  readonly blobs: readonly string[];
  readonly doubles: readonly number[];
}

const readPoints = async () => (await (await fetch(`${stack.url}/__points`)).json()) as Point[];

async function call(name: string, args: object, headers: Record<string, string> = {}): Promise<Reply> {
  return rpc(stack, "tools/call", { name, arguments: args }, { token: session.accessToken, headers });
}

/** The points that this work wrote. */
async function pointsOf(work: () => Promise<unknown>): Promise<readonly Point[]> {
  const before = (await readPoints()).length;
  await work();
  return (await readPoints()).slice(before);
}

const MAIL = { to: BORIS.email, subject: "Between us two", body: "Nobody else reads this sentence." };

test("LG-05: one point per call: tool, client type, no error; its latency and a count of one", async () => {
  const points = await pointsOf(() => call("sendEmail", MAIL, { "user-agent": "mcp-remote/0.1" }));
  const [duration] = points[0]?.doubles ?? [];
  assert.ok(typeof duration === "number" && duration >= 0);
  assert.deepEqual(points, [
    { indexes: ["sendEmail"], blobs: ["sendEmail", "mcp-remote", ""], doubles: [duration, 1] },
  ]);
});

test("LG-05: a resource is a call; what lists, and what is refused without a sign-in, is none", async () => {
  const points = await pointsOf(async () => {
    await rpc(stack, "tools/list", {}, { token: session.accessToken });
    await getEmails(stack);
    await rpc(stack, "resources/read", { uri: "microsoft://profile" }, { token: session.accessToken });
  });
  assert.deepEqual(
    points.map(({ indexes, blobs }) => [indexes, blobs]),
    [[["resource:profile"], ["resource:profile", "unknown", ""]]],
  );
});

const FAILURES: readonly (readonly [code: string, name: string, args: object, prepare: () => void])[] = [
  [
    "graph_not_found",
    "getEmails",
    {},
    () => void stack.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "ErrorItemNotFound" }),
  ],
  [
    "graph_timeout",
    "sendEmail",
    MAIL,
    () => void stack.graph.fault({ method: "POST" }, { kind: "timeout-after-execution" }),
  ],
  ["validation_error", "getEmails", { count: 0 }, () => undefined],
];

for (const [code, name, args, prepare] of FAILURES) {
  test(`LG-05: a failure is counted as ${code}`, async (t) => {
    t.after(() => stack.graph.reset());
    prepare();
    const points = await pointsOf(() => call(name, args));
    assert.deepEqual(
      points.map(({ blobs }) => blobs),
      [[name, "unknown", code]],
    );
  });
}

test("LG-05: a sign-in that Microsoft ended is counted as session_ended", async () => {
  stack.entra.revokeRefreshTokens();
  stack.entra.expireAccessTokens();
  const points = await pointsOf(() => getEmails(stack, session.accessToken));
  assert.deepEqual(
    points.map(({ blobs }) => blobs),
    [["getEmails", "unknown", "session_ended"]],
  );
});

/** The lines that this work wrote. */
async function linesOf(work: () => Promise<unknown>): Promise<readonly string[]> {
  await stack.settleLogs();
  const before = stack.logs.length;
  await work();
  await stack.settleLogs();
  return stack.logs.slice(before);
}

/** Signing in again with the same client replaces the grant of before. */
async function signInAgain(): Promise<Session> {
  session = await signInWith(stack, session.client);
  return session;
}

/** As somebody would put it into a search field, and what has to happen for it. */
const SEARCHES: readonly (readonly [
  what: string,
  words: readonly (string | RegExp)[],
  work: () => Promise<unknown>,
])[] = [
  [
    "a sign-in",
    ['"message":"OAuth grant approved"', '"message":"OAuth sign-in completed"', '"message":"OAuth code redeemed"'],
    signInAgain,
  ],
  ["a token revoked", ["OAuth token revoked"], () => revoke(stack, session.client, session.accessToken)],
  ["a grant revoked", ["OAuth grant ended"], () => revoke(stack, session.client, session.refreshToken)],
  [
    "a wrong verifier",
    ["OAuth request refused", "verifier_mismatch"],
    async () => {
      const { code } = await obtainCode(stack, session.client);
      await redeem(stack, session.client, { code, verifier: "v".repeat(43) });
    },
  ],
  [
    "a call",
    ["tool: getEmails", '"binding":"MCP_OBJECT"', '"durationMs":', '"level":"INFO"'],
    async () => getEmails(stack, (await signInAgain()).accessToken),
  ],
  [
    "a timeout of Graph",
    ["Graph API error", "Microsoft Graph error", "timeout", "exceeded", '"durationMs":', '"level":"WARN"'],
    async () => {
      stack.graph.fault({ method: "POST", times: 1 }, { kind: "timeout-after-execution" });
      await call("sendEmail", MAIL);
    },
  ],
  [
    "a Microsoft sign-in that ended",
    [/Authentication .*failed/, '"level":"WARN"'],
    async () => {
      stack.entra.revokeRefreshTokens();
      stack.entra.expireAccessTokens();
      await getEmails(stack, session.accessToken);
    },
  ],
  [
    "a client secret that Microsoft does not know",
    [/Authentication .*failed/, '"level":"ERROR"'],
    async () => {
      await signInAgain();
      stack.entra.expireAccessTokens();
      stack.entra.failure = "invalid_client";
      await getEmails(stack, session.accessToken);
      stack.entra.failure = undefined;
    },
  ],
];

for (const [what, words, work] of SEARCHES) {
  test(`LG-03: ${what} is found by ${words.join(", ")}`, async () => {
    const lines = await linesOf(work);
    const isThere = (word: string | RegExp) =>
      lines.some((line) => (typeof word === "string" ? line.includes(word) : word.test(line)));
    assert.deepEqual(
      words.filter((word) => !isThere(word)),
      [],
      lines.join("\n"),
    );
    for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), line);
  });
}

test("LG-07: neither points nor lines hold anything of the mail that was sent", async () => {
  await stack.settleLogs();
  const all = `${JSON.stringify(await readPoints())}${stack.logs.join("\n")}`;
  for (const text of [...Object.values(MAIL), "contoso", session.accessToken]) {
    assert.ok(!all.includes(text), text);
  }
});
