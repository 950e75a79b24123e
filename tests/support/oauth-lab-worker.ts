// The Worker with a clock that tests set, and a hatch into the objects' storage. Everything else is the product.

import type { Env } from "../../src/config.ts";
import worker, { MicrosoftMCPAgent as Agent } from "../../src/worker.ts";

/** Worker and objects share one isolate, so one clock moves for all of them. */
let shiftMs = 0;
const systemNow = Date.now.bind(Date);
Date.now = () => systemNow() + shiftMs;

export interface LabRecord {
  readonly name: string;
  readonly value: string;
}

export interface LabStorage {
  readonly tables: readonly string[];
  readonly records: readonly LabRecord[];
  /** Milliseconds since the epoch; null when none is set. */
  readonly alarm: number | null;
}

export class MicrosoftMCPAgent extends Agent {
  async lab(action: "look" | "alarm" | "write", records: readonly LabRecord[]): Promise<LabStorage> {
    const { storage } = this.ctx;
    if (action === "alarm") await this.alarm();
    if (action === "write") {
      for (const { name, value } of records)
        storage.sql.exec("UPDATE record SET value = ? WHERE name = ?", value, name);
      await storage.sync();
      // What the instance remembers of its storage goes with it.
      this.ctx.abort("rewritten by a test");
    }
    const tables = storage.sql.exec(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
    );
    const names = tables.toArray().map(({ name }) => String(name));
    const rows = names.includes("record") ? storage.sql.exec("SELECT name, value FROM record").toArray() : [];
    return {
      tables: names,
      records: rows.map(({ name, value }) => ({ name: String(name), value: String(value) })),
      alarm: await storage.getAlarm(),
    };
  }
}

interface LabRequest {
  readonly shiftMs?: number;
  readonly gid?: string;
  readonly action?: "look" | "alarm" | "write";
  readonly records?: readonly LabRecord[];
}

export default {
  async fetch(request: Request, env: Env, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname !== "/__lab") return worker.fetch(request, env, ctx);
    const { shiftMs: shift, gid, action = "look", records = [] } = await request.json<LabRequest>();
    if (shift !== undefined) shiftMs = shift;
    if (gid === undefined) return Response.json({ shiftMs });
    const stub: unknown = env.MCP_OBJECT.get(env.MCP_OBJECT.idFromName(`grant:${gid}`));
    // The namespace's type knows no class; this Worker exports the one above.
    return Response.json(await (stub as Pick<MicrosoftMCPAgent, "lab">).lab(action, records));
  },
};
