import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { approve, Browser } from "../../fixtures/browser.ts";
import { ROOT } from "../../fixtures/bundle.ts";
import type { TestClient } from "../support/oauth-client.ts";

const CLI = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
const SHIM = "./tests/conformance/node20-fs-shim.mjs";

export interface Run {
  readonly exitCode: number;
  readonly output: string;
  /** `scenario:check` by status, over everything that ran. */
  readonly checks: { readonly [status: string]: readonly string[] };
  /** What the suite says about checks that did not pass; its output has no word of it when several scenarios run. */
  readonly complaints: readonly string[];
}

/** A line of its own that asks a person to sign in. */
const ADDRESS = /^(http\S+\/authorize\?\S+)\n/m;

/**
 * Runs the official suite against a server.
 * @param args such as `["--requirements", "2025-11-25"]`
 * @param visit opens the address that the suite prints and then waits on, for minutes
 */
export async function runSuite(
  url: string,
  args: readonly string[],
  kind: "server" | "authorization" = "server",
  visit?: (address: string) => Promise<void>,
): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "mcp-conformance-"));
  try {
    const command = ["--import", SHIM, CLI, kind, "--url", url, "-o", folder, ...args];
    const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: "1" };
    // A test runner hands this down; the suite is no test of ours.
    delete env.NODE_TEST_CONTEXT;
    const child = spawn(process.execPath, command, { cwd: ROOT, env });
    let output = "";
    let visited: Promise<void> | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (chunk: string) => {
        output += chunk;
        const [, address] = ADDRESS.exec(output) ?? [];
        if (address === undefined || visited !== undefined) return;
        visited = visit?.(address);
        visited?.catch(() => child.kill());
      });
    }
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
    await visited;
    return { exitCode, output, ...(await readChecks(folder)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Checks of the authorization-server scenarios, in the order in which a run lists them. */
export const CODE_GRANT = "authorization-code-grant:authorization-code-grant";
export const METADATA = "authorization-server-metadata-endpoint:authorization-server-metadata";
export const CLIENT_DOCUMENTS = "authorization-server-metadata-endpoint:authorization-server-metadata-cimd";

/** Runs the authorization-server scenarios: somebody approves `client`, whose redirect URI is the suite's own. */
export function runAuthorization(
  issuer: string,
  { clientId, clientSecret, redirectUri }: TestClient,
  args: readonly string[],
): Promise<Run> {
  const secret = clientSecret === undefined ? [] : [`--client-secret=${clientSecret}`];
  const options = [`--client-id=${clientId}`, ...secret, `--port=${new URL(redirectUri).port}`, ...args];
  return runSuite(issuer, options, "authorization", async (address) => {
    const browser = new Browser();
    const redirect = await approve(browser, address);
    assert.equal(redirect.href.split("?")[0], redirectUri);
    assert.equal((await browser.open(redirect.href)).status, 200);
  });
}

/** The suite writes `server-<scenario>-<time>/checks.json`, or `authorization-server-…`. */
async function readChecks(folder: string): Promise<Pick<Run, "checks" | "complaints">> {
  const byStatus: Record<string, string[]> = {};
  const complaints: string[] = [];
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((path) => path.endsWith("checks.json")).sort()) {
    const scenario = /server-(.+?)-\d{4}-\d{2}-\d{2}T/.exec(name)?.[1] ?? name;
    const checks = JSON.parse(await readFile(join(folder, name), "utf8")) as Check[];
    for (const { id, status, errorMessage } of checks) {
      byStatus[status] ??= [];
      byStatus[status].push(`${scenario}:${id}`);
      if (status !== "SUCCESS" && errorMessage !== undefined) complaints.push(`${scenario}:${id}: ${errorMessage}`);
    }
  }
  return { checks: byStatus, complaints };
}

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

/**
 * The suite sends no token, so this proxy adds it. Headers stay as they were, foreign hosts and origins included; only
 * the proxy's own port becomes the server's, because a token is good for one origin.
 */
export async function startTokenProxy(target: string, token: string) {
  const server = createServer((incoming, outgoing) => {
    const { port } = new URL(target);
    const own = `:${(server.address() as AddressInfo).port}`;
    const sent = incoming.rawHeaders.map((text) => (text.endsWith(own) ? text.replace(own, `:${port}`) : text));
    const headers = [...sent, "Authorization", `Bearer ${token}`];
    const { method = "GET", url: path = "/" } = incoming;
    const options = { host: "127.0.0.1", port, method, path, headers, agent: false };
    const upstream = httpRequest(options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    upstream.once("error", () => outgoing.destroy());
    outgoing.once("close", () => upstream.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
