// KR-01: new keys are drawn by a command, and are keys that the Worker takes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { readConfig } from "../../src/config.ts";
import { ENVIRONMENT } from "../environment.ts";
import { ROOT } from "./source.ts";

async function draw(): Promise<Readonly<Record<string, string>>> {
  const script = ["--import", "tsx", join(ROOT, "fixtures/keys.ts")];
  const { stdout } = await promisify(execFile)(process.execPath, script, { cwd: ROOT });
  return Object.fromEntries(Array.from(stdout.matchAll(/^(\w+)=(.*)$/gm), ([, name, value]) => [name, value]));
}

test("KR-01: npm run keys draws the three keys, other ones each time, and the Worker takes them", async () => {
  const [keys, others] = await Promise.all([draw(), draw()]);
  assert.deepEqual(Object.keys(keys), ["ENCRYPTION_KEY", "COOKIE_ENCRYPTION_KEY", "COOKIE_SECRET"]);
  assert.equal(new Set([...Object.values(keys), ...Object.values(others)]).size, 6);
  assert.equal(readConfig({ ...ENVIRONMENT, ...keys }).ok, true);
});
