import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { bundleWorker, ROOT } from "../../fixtures/bundle.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";

const DEEP = ["oauth", "discovery", "graphApi", "durableObjects", "kvStorage"];
const WELL = { status: "ok", healthy: true };
const FAILED = { status: "failed", healthy: false };

type Checks = Readonly<Record<string, unknown>>;

async function ask(stack: Stack, path = "/health?deep=1") {
  const answered = await fetch(`${stack.url}${path}`);
  const {
    status: word,
    healthy,
    checks,
  } = (await answered.json()) as {
    status: string;
    healthy: boolean;
    checks: Checks;
  };
  return { status: answered.status, word, healthy, checks };
}

/** Names of the checks that failed. */
function failures(checks: Checks): string[] {
  return DEEP.filter((name) => (checks[name] as { healthy: boolean }).healthy === false);
}

async function runCron(stack: Stack): Promise<Record<string, unknown>[]> {
  stack.logs.length = 0;
  const worker = await stack.mf.getWorker("m365");
  await worker.scheduled({ cron: "*/5 * * * *" });
  await stack.settleLogs();
  return stack.logs.map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("HL-02, HL-03: with all we depend on", async (t) => {
  const stack = await startStack();
  t.after(() => stack.dispose());

  await t.test("HL-02: deep health is 200 and every entry is ok", async () => {
    const { status, word, healthy, checks } = await ask(stack);
    assert.deepEqual([status, word, healthy], [200, "healthy", true]);
    for (const name of DEEP) assert.deepEqual(checks[name], WELL, name);
  });

  await t.test("HL-02: asking leaves nothing in any store", async () => {
    assert.deepEqual(await stack.kv(), []);
    // An object that came to life has a file with the platform's own tables; ours is not in it.
    assert.doesNotMatch(await stack.objectStorage(), /TABLE record/);
  });

  await t.test("HL-01: /health says which service and version it is, and no error", async () => {
    const report = (await (await fetch(`${stack.url}/health`)).json()) as Record<string, unknown>;
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    const { timestamp, checks: _, ...rest } = report;
    assert.deepEqual(rest, { status: "healthy", healthy: true, service: "microsoft-365-mcp", version });
    assert.ok(Math.abs(Date.parse(String(timestamp)) - Date.now()) < 60_000);
  });

  await t.test("HL-01: without deep=1 nobody is asked", async () => {
    for (const path of ["/health", "/health?deep=0", "/health?deep"]) {
      assert.deepEqual(Object.keys((await ask(stack, path)).checks), ["configuration", "access", "egress"], path);
    }
  });

  await t.test("HL-03: a cron trigger logs the result as one event of level INFO", async () => {
    const [line, ...more] = await runCron(stack);
    assert.deepEqual(more, []);
    assert.deepEqual([line?.level, line?.message], ["INFO", "health check"]);
    const checks = line?.metadata as Checks;
    for (const name of DEEP) assert.deepEqual(checks[name], WELL, name);
  });
});

test("HL-02, HL-03: without the AI binding graphApi has failed, and the cron trigger logs an ERROR", async (t) => {
  const stack = await startStack({ withoutAi: true });
  t.after(() => stack.dispose());
  const { status, word, checks } = await ask(stack);
  assert.deepEqual([status, word, failures(checks)], [503, "unhealthy", ["graphApi"]]);
  const [line, ...more] = await runCron(stack);
  assert.deepEqual([more, line?.level, line?.message], [[], "ERROR", "health check"]);
  assert.deepEqual(failures(line?.metadata as Checks), ["graphApi"]);
});

test("HL-02: a wrong key is named, and fails what needs it and nothing else", async (t) => {
  const stack = await startStack({ bindings: { ENCRYPTION_KEY: "short" } });
  t.after(() => stack.dispose());
  const { status, checks } = await ask(stack);
  assert.deepEqual([status, failures(checks)], [503, ["oauth", "graphApi"]]);
  assert.deepEqual(checks.configuration, { healthy: false, keys: ["ENCRYPTION_KEY"] });
});

test("HL-02: a store that fails", async (t) => {
  const { text } = await bundleWorker("tests/support/health-worker.ts");
  const stack = await startStack({ bundle: text });
  t.after(() => stack.dispose());
  const set = async (kv: string, aheadSeconds: number) => {
    await (await fetch(`${stack.url}/__lab?kv=${kv}&aheadMs=${aheadSeconds * 1000}`)).text();
  };

  await t.test("HL-02: KV that is down is 503 and kvStorage is named", async () => {
    await set("down", 0);
    const { status, word, healthy, checks } = await ask(stack);
    assert.deepEqual([status, word, healthy], [503, "unhealthy", false]);
    assert.deepEqual([checks.kvStorage, failures(checks)], [FAILED, ["kvStorage"]]);
  });

  await t.test(
    "ER-09: who signs in meanwhile sees a page with a request id, a program JSON, and nobody why",
    async () => {
      const authorize = (accept: string) =>
        fetch(`${stack.url}/authorize?client_id=0123456789abcdef0123456789abcdef`, { headers: { Accept: accept } });
      const page = await authorize("text/html,*/*;q=0.8");
      const id = page.headers.get("x-request-id") ?? "";
      const text = await page.text();
      assert.deepEqual([page.status, page.headers.get("content-type")], [500, "text/html; charset=utf-8"]);
      assert.match(text, /<h1>This did not work<\/h1>/);
      assert.ok(id !== "" && text.includes(id));
      assert.doesNotMatch(text, /KV is down|Error:/);
      const program = await authorize("*/*");
      const body = (await program.json()) as { error: string; requestId: string };
      assert.deepEqual(
        [program.status, body.error, body.requestId],
        [500, "server_error", program.headers.get("x-request-id")],
      );
    },
  );

  await t.test("ER-05: a fault at /register is 500 as JSON: a request id, and nothing of what happened", async () => {
    const body = JSON.stringify({ redirect_uris: ["https://app.example.com/cb"] });
    const answer = await fetch(`${stack.url}/register`, { method: "POST", body });
    const { error, error_description, requestId, ...more } = (await answer.json()) as Record<string, string>;
    assert.deepEqual(
      [answer.status, answer.headers.get("content-type"), error],
      [500, "application/json", "server_error"],
    );
    assert.deepEqual([requestId, more], [answer.headers.get("x-request-id"), {}]);
    assert.equal(error_description, "An unexpected fault here. Try again, or give the operator the request id.");
    await stack.settleLogs();
    const [line] = stack.logs.map((text) => JSON.parse(text)).filter((event) => event.requestId === requestId);
    assert.deepEqual([line.level, line.message], ["ERROR", "unexpected fault"]);
  });

  await t.test("HL-02: the result is kept for 30 s, good or bad", async () => {
    await set("good", 20);
    assert.deepEqual(failures((await ask(stack)).checks), ["kvStorage"]);
    await set("good", 31);
    assert.equal((await ask(stack)).status, 200);
    await set("down", 50);
    assert.equal((await ask(stack)).status, 200);
    await set("down", 62);
    assert.equal((await ask(stack)).status, 503);
  });

  await t.test("HL-02: KV that does not answer is 503 after a while, not for ever", async () => {
    await set("hanging", 100);
    const { status, checks } = await ask(stack);
    assert.deepEqual([status, checks.kvStorage], [503, FAILED]);
  });
});
