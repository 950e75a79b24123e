// mcp-remote, the bridge that desktop assistants use, as they start it: a child process on stdio.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { approve, Browser } from "../../fixtures/browser.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { freePort } from "../../fixtures/workerd.ts";
import { expiredTwin } from "../support/sdk-person.ts";

const PROXY = join(dirname(createRequire(import.meta.url).resolve("mcp-remote/package.json")), "dist/proxy.js");
const CALL = { name: "getEmails", arguments: { count: 1 } };

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

interface Remote {
  readonly client: Client;
  readonly signIns: () => number;
  readonly output: () => string;
}

/** Starts it, and is the person who opens the printed address in a browser. */
async function start(path: string, transport: string, folder: string): Promise<Remote> {
  const callbackPort = await freePort();
  const args = [PROXY, `${stack.url}${path}`, String(callbackPort), "--transport", transport];
  // `true` is a browser that opens nothing: the test is the person.
  const env = { PATH: process.env.PATH ?? "", HOME: folder, MCP_REMOTE_CONFIG_DIR: folder, BROWSER: "true" };
  const stdio = new StdioClientTransport({ command: process.execPath, args, env, stderr: "pipe" });
  let output = "";
  let signIns = 0;
  stdio.stderr?.on("data", (chunk: Buffer) => {
    output += String(chunk);
    const printed = [...output.matchAll(/visiting:\s+(http\S+)\s/g)].map(([, url = ""]) => url);
    const url = printed[signIns];
    if (url === undefined) return;
    signIns += 1;
    void approve(new Browser(), url).then(callBack);
  });
  const client = new Client({ name: "assistant", version: "1.0.0" });
  await client.connect(stdio);
  return { client, signIns: () => signIns, output: () => output };
}

/** It prints the address a moment before it listens for the answer, and says nothing when it does. */
async function callBack(redirect: URL): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await fetch(redirect);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(50);
    }
  }
}

/** Puts a token that ran out where mcp-remote keeps the good one. */
async function outliveToken(folder: string): Promise<void> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith("_tokens.json"));
  assert.equal(names.length, 1, String(names));
  const file = join(folder, names[0] ?? "");
  const tokens = JSON.parse(await readFile(file, "utf8")) as { access_token: string };
  await writeFile(file, JSON.stringify({ ...tokens, access_token: await expiredTwin(stack, tokens.access_token) }));
}

for (const [path, transport] of [
  ["/mcp", "http-first"],
  ["/sse", "http-first"],
  ["/sse", "sse-only"],
] as const) {
  test(`EP-11: mcp-remote ${transport} on ${path} lists, signs in, calls, and outlives its token and the server`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "mcp-remote-"));
    let remote = await start(path, transport, folder);
    try {
      assert.equal((await remote.client.listTools()).tools[0]?.name, "getEmails");
      const called = await remote.client.callTool(CALL);
      assert.ok(!called.isError, JSON.stringify(called));
      assert.equal(remote.signIns(), 1);
      await outliveToken(folder);
      assert.ok(!(await remote.client.callTool(CALL)).isError, remote.output());
      // An assistant starts its bridges anew.
      await remote.client.close();
      await stack.restart();
      remote = await start(path, transport, folder);
      assert.ok(!(await remote.client.callTool(CALL)).isError, remote.output());
      assert.equal(remote.signIns(), 0, "the person had to sign in again");
    } catch (error) {
      throw new Error(remote.output(), { cause: error });
    } finally {
      await remote.client.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

test("RS-01: mcp-remote signs in for a resource and reads it", async () => {
  const folder = await mkdtemp(join(tmpdir(), "mcp-remote-"));
  const remote = await start("/mcp", "http-first", folder);
  try {
    const { contents } = await remote.client.readResource({ uri: "microsoft://profile" });
    const [profile] = contents as { text: string }[];
    assert.equal((JSON.parse(profile?.text ?? "") as { displayName: string }).displayName, "Ada Novak");
    assert.equal(remote.signIns(), 1);
  } catch (error) {
    throw new Error(remote.output(), { cause: error });
  } finally {
    await remote.client.close();
    await rm(folder, { recursive: true, force: true });
  }
});
