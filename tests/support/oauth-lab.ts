// A stack whose clock a test moves and whose objects it may look into.
import assert from "node:assert/strict";
import { bundleWorker } from "../../fixtures/bundle.ts";
import { type Stack, type StackOptions, startStack } from "../../fixtures/stack.ts";
import type { LabRecord, LabStorage } from "./oauth-lab-worker.ts";

export interface Lab {
  readonly stack: Stack;
  /** From now on the Worker and its objects live so many seconds ahead of the system. */
  moveTo(seconds: number): Promise<void>;
  /** What the object of a grant stores. */
  look(gid: string): Promise<LabStorage>;
  /** Rings the alarm now, as the clock of the Worker stands. */
  ring(gid: string): Promise<LabStorage>;
  /** Replaces values of records, and restarts the object. */
  rewrite(gid: string, records: readonly LabRecord[]): Promise<void>;
}

export async function startLab(options: StackOptions = {}): Promise<Lab> {
  const { text } = await bundleWorker("tests/support/oauth-lab-worker.ts");
  const stack = await startStack({ ...options, bundle: text });
  const send = (body: unknown) => fetch(`${stack.url}/__lab`, { method: "POST", body: JSON.stringify(body) });
  const ask = async (body: unknown): Promise<LabStorage> => {
    const answer = await send(body);
    assert.equal(answer.status, 200, await answer.clone().text());
    return (await answer.json()) as LabStorage;
  };
  return {
    stack,
    async moveTo(seconds) {
      assert.equal((await send({ shiftMs: seconds * 1000 })).status, 200);
    },
    look: (gid) => ask({ gid }),
    ring: (gid) => ask({ gid, action: "alarm" }),
    async rewrite(gid, records) {
      // The object aborts itself, so the answer is an error.
      await (await send({ gid, action: "write", records })).text().catch(() => undefined);
    },
  };
}

/** The grant id inside a code, token or state. */
export function gidOf(token: string): string {
  const [, gid = ""] = token.split(".");
  assert.match(gid, /^[A-Za-z0-9_-]{22}$/);
  return gid;
}
