// A fresh copy of the tree with both examples copied, as somebody has it who just cloned it.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ROOT, wranglerEnvironment } from "../../fixtures/bundle.ts";
import { freePort } from "../../fixtures/workerd.ts";

let copy = "";
before(async () => {
  copy = await mkdtemp(join(tmpdir(), "m365-copy-"));
  const names = ["src", "fixtures", "package.json", "package-lock.json", "tsconfig.json", "wrangler.toml.example"];
  await Promise.all(names.map((name) => cp(join(ROOT, name), join(copy, name), { recursive: true })));
  await symlink(join(ROOT, "node_modules"), join(copy, "node_modules"));
  await copyFile(join(ROOT, ".dev.vars.example"), join(copy, ".dev.vars"));
  await copyFile(join(ROOT, "wrangler.toml.example"), join(copy, "wrangler.toml"));
});
after(() => rm(copy, { recursive: true, force: true, maxRetries: 5 }));

/** Runs a program of the copy until it has printed these words. */
async function launch(words: string, args: readonly string[]) {
  // Miniflare would ask Cloudflare for an example of `Request.cf`.
  const env = {
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    ...wranglerEnvironment(),
    WRANGLER_LOG_PATH: join(copy, "log"),
    WRANGLER_REGISTRY_PATH: join(copy, "dev"),
  };
  const child = spawn(process.execPath, args, { cwd: copy, env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        printed += text;
        if (printed.includes(words)) resolve();
      });
    }
    child.once("exit", (code) => reject(new Error(`ended with ${code}:\n${printed}`)));
  });
  return { child, printed: () => printed };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}

interface Health {
  readonly healthy: boolean;
  readonly checks: { readonly configuration: { readonly keys?: readonly string[] } };
}

async function health(url: string): Promise<readonly [status: number, body: Health]> {
  const answer = await fetch(`${url}/health`);
  return [answer.status, (await answer.json()) as Health];
}

async function toolCount(url: string): Promise<number> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  const answer = await fetch(`${url}/mcp`, { method: "POST", body });
  return ((await answer.json()) as { result: { tools: unknown[] } }).result.tools.length;
}

test("CF-06: npm start with .dev.vars as copied draws what is empty: /health is 200, and nothing else was read", async () => {
  const port = await freePort();
  const { child, printed } = await launch("Ctrl-C stops everything", [
    ...["--import", "tsx", "fixtures/start.ts", "--port", String(port)],
  ]);
  try {
    const [status, { healthy }] = await health(`http://127.0.0.1:${port}`);
    assert.deepEqual([status, healthy], [200, true]);
    assert.doesNotMatch(printed(), /^\.dev\.vars/m);
  } finally {
    await end(child);
  }
});

test("LD-03: wrangler dev --local with both examples as copied serves discovery, and /health names the six to fill in", async () => {
  const port = await freePort();
  const wrangler = [
    "node_modules/wrangler/bin/wrangler.js",
    "dev",
    "--local",
    "--ip",
    "127.0.0.1",
    "--port",
    String(port),
  ];
  const { child } = await launch("Ready on", [...wrangler, "--inspector-port", String(await freePort())]);
  try {
    const url = `http://127.0.0.1:${port}`;
    assert.ok((await toolCount(url)) > 0);
    const [status, { checks }] = await health(url);
    assert.equal(status, 503);
    assert.deepEqual(checks.configuration.keys, [
      ...["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "MICROSOFT_TENANT_ID"],
      ...["ENCRYPTION_KEY", "COOKIE_ENCRYPTION_KEY", "COOKIE_SECRET"],
    ]);
  } finally {
    await end(child);
  }
});
