// Our commands, as a person runs them.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { ROOT } from "../../fixtures/bundle.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves to everything printed so far once it contains `text`; rejects when the program ends first. */
  printed(text: string): Promise<string>;
}

export function launch(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  const printed = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (stdout.includes(text)) resolve(stdout);
      };
      child.stdout.on("data", look);
      look();
      void ended.then(({ code }) => reject(new Error(`ended with ${code} before it printed '${text}': ${stderr}`)));
    });
  return { child, ended, printed };
}

/** A command of `fixtures`, without npm in between. */
export function launchScript(script: string, args: readonly string[], env?: Readonly<Record<string, string>>): Running {
  return launch(process.execPath, ["--import", "tsx", `fixtures/${script}.ts`, ...args], env);
}

export const start = (...args: readonly string[]) => launchScript("start", args);

/** Every curl command among what was printed, whole. */
export function commandsIn(output: string): string[] {
  return [...output.matchAll(/^curl (?:.*\\\n)*.*$/gm)].map(([command]) => command);
}

/** What a command prints, as JSON. */
export async function runInShell(command: string) {
  const { code, stdout, stderr } = await launch("sh", ["-c", command]).ended;
  assert.equal(code, 0, stderr);
  // With `curl -i` the answer's head comes first.
  return JSON.parse(stdout.slice(stdout.search(/^[{[]/m)));
}
