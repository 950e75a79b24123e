// What the pinned wrangler says of its commands. Asking takes a second each time, so the answers are kept.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../fixtures/bundle.ts";

const WRANGLER = join(ROOT, "node_modules/wrangler");

export interface WranglerHelp {
  /** `wrangler <path> --help`. */
  of(path: readonly string[]): Promise<string>;
  /** Keeps the answers for the next run with the same lockfile and the same installed wrangler. */
  keep(): Promise<void>;
}

export async function openWranglerHelp(): Promise<WranglerHelp> {
  const file = join(ROOT, `dist/wrangler-help-${await digestOfPin()}.json`);
  const kept = await readKept(file);
  const asked = new Map<string, Promise<string>>();
  return {
    of(path) {
      const key = path.join(" ");
      const text = asked.get(key) ?? (kept[key] === undefined ? ask(path) : Promise.resolve(kept[key]));
      asked.set(key, text);
      return text;
    },
    async keep() {
      if ([...asked.keys()].every((key) => kept[key] !== undefined)) return;
      const answers = await Promise.all([...asked].map(async ([key, text]) => [key, await text] as const));
      const draft = `${file}.${process.pid}`;
      await mkdir(join(ROOT, "dist"), { recursive: true });
      await writeFile(draft, JSON.stringify({ ...kept, ...Object.fromEntries(answers) }));
      await rename(draft, file);
    },
  };
}

/** What is installed decides, and what should be. */
async function digestOfPin(): Promise<string> {
  const digest = createHash("sha256");
  for (const path of [join(ROOT, "package-lock.json"), join(WRANGLER, "package.json")])
    digest.update(await readFile(path));
  return digest.digest("hex").slice(0, 16);
}

/** Absent, or of no use: then everything is asked again. */
async function readKept(file: string): Promise<Readonly<Record<string, string>>> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
  } catch {
    return {};
  }
}

async function ask(path: readonly string[]): Promise<string> {
  const env = { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", COLUMNS: "200", WRANGLER_SEND_METRICS: "false" };
  const command = [join(WRANGLER, "bin/wrangler.js"), ...path, "--help"];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
  return stdout + stderr;
}
