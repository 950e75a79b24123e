// `fixtures/health-check.sh`, as cron runs it.
import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { listenPlainly, type Site } from "../pages/sites.ts";
import { type Ended, launch } from "../support/command.ts";

/** What the script uses of a system; jq is not among it. */
const NEEDED = ["sh", "curl", "tail", "sed", "tr", "cut", "grep", "wc"];

let stack: Stack;
let pathWithoutJq: string;
before(async () => {
  stack = await startStack();
  pathWithoutJq = await mkdtemp(join(tmpdir(), "m365-path-"));
  for (const name of NEEDED) {
    const found = await launch("sh", ["-c", `command -v ${name}`]).ended;
    await symlink(found.stdout.trim(), join(pathWithoutJq, name));
  }
});
after(async () => {
  await stack.dispose();
  await rm(pathWithoutJq, { recursive: true, force: true });
});

const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Ended> =>
  launch("fixtures/health-check.sh", args, { TIMEOUT_SECONDS: "20", ...env }).ended;

async function runAgainst(site: Site, env: Record<string, string> = {}): Promise<Ended> {
  const listening = await listenPlainly(site);
  try {
    return await run([`http://127.0.0.1:${listening.port}`], env);
  } finally {
    await listening.close();
  }
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

/** A server whose two answers we choose. */
const answering =
  (health: Response, list: Response): Site =>
  ({ url }) =>
    (url.pathname === "/health" ? health : list).clone();

const HEALTHY = json({ status: "healthy", healthy: true });
const LISTED = json({ result: { tools: [{ name: "a", inputSchema: {} }] } });

for (const [how, path] of [
  ["with jq", () => process.env.PATH ?? ""],
  ["without jq", () => pathWithoutJq],
] as const) {
  const env = () => ({ PATH: path() });

  test(`HL-04, DX-07: the local server is healthy and its tools are counted, exit 0 (${how})`, async () => {
    const { code, stdout, stderr } = await run([`${stack.url}/`], env());
    assert.deepEqual(
      { code, stdout, stderr },
      { code: 0, stdout: `healthy: ${stack.url}: ${TOOLS.length} tools\n`, stderr: "" },
    );
  });

  const unhealthy: readonly (readonly [what: string, site: Site, says: RegExp])[] = [
    [
      "a configuration error is named",
      answering(json({ healthy: false, checks: { configuration: { keys: ["ENCRYPTION_KEY"] } } }, 503), LISTED),
      /\/health answered 503 .*ENCRYPTION_KEY/,
    ],
    ["another page is not health", answering(new Response("<h1>Hello</h1>"), LISTED), /does not say healthy/],
    ["no tools", answering(HEALTHY, json({ result: { tools: [] } })), /names no tool/],
    ["a fault", answering(HEALTHY, new Response("", { status: 500 })), /tools\/list answered 500/],
  ];
  for (const [what, site, says] of unhealthy) {
    test(`HL-04: ${what}, exit 1 (${how})`, async () => {
      const { code, stdout } = await runAgainst(site, env());
      assert.equal(code, 1);
      assert.match(stdout, /^unhealthy: http:\/\/127\.0\.0\.1:\d+: .*\n$/);
      assert.match(stdout, says);
    });
  }
}

test("HL-04: where strangers are refused the tools are not counted, exit 0", async () => {
  const { code, stdout } = await runAgainst(answering(HEALTHY, json({ error: "access_denied" }, 403)));
  assert.deepEqual([code, /not listed for strangers \(403\)/.test(stdout)], [0, true]);
});

test("HL-04: nobody there, exit 2", async () => {
  const listening = await listenPlainly(() => new Response());
  await listening.close();
  const { code, stdout } = await run([`http://127.0.0.1:${listening.port}`]);
  assert.deepEqual([code, stdout], [2, `not reachable: http://127.0.0.1:${listening.port}\n`]);
});

test("HL-04: an answer that does not come, exit 2", async () => {
  const { code } = await runAgainst(() => new Promise<Response>(() => {}), { TIMEOUT_SECONDS: "1" });
  assert.equal(code, 2);
});

for (const args of [[], ["mcp.example.com"], ["https://a.example", "https://b.example"]]) {
  test(`HL-04: '${args.join(" ")}' is no address, exit 2`, async () => {
    const { code, stdout, stderr } = await run(args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /\n$/);
  });
}
