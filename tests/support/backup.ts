// The commands as an operator runs them, with a configuration of their own.
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../fixtures/bundle.ts";

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Workplace {
  /** For files and for the state of wrangler. */
  readonly folder: string;
  run(command: "backup" | "restore", args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended>;
  close(): Promise<void>;
}

/** An operator's own wrangler.toml must not decide what is tested. */
export async function openWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), "m365-backup-test-"));
  const config = join(folder, "wrangler.toml");
  await copyFile(join(ROOT, "wrangler.toml.example"), config);
  return {
    folder,
    run(command, args, env = {}) {
      const script = ["--import", "tsx", join(ROOT, "fixtures", `${command}.ts`), "--config", config, ...args];
      return new Promise((resolve) => {
        execFile(process.execPath, script, { cwd: ROOT, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
        });
      });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
