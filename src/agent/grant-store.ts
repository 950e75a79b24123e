import type { EpochSeconds } from "../core/time.ts";
import type { Box } from "../crypto/box.ts";
import { deadline } from "../oauth/grant/end.ts";
import type { Grant, Transition } from "../oauth/grant/grant.ts";
import type { Usage } from "./usage.ts";

/** The person's Microsoft tokens at rest. */
export interface MicrosoftRecord {
  readonly box: Box;
  /** When the access token inside ends; known without opening the box. */
  readonly expiresAt: EpochSeconds;
  /** A refresh is under way until then, perhaps in a former life of this object; 0 when none is. */
  readonly leaseUntil: number;
}

interface Rows {
  readonly grant: Grant;
  readonly microsoft: MicrosoftRecord;
  readonly usage: Usage;
}

/**
 * What one grant's object keeps: three rows in one table. Every method is synchronous, so a check and the write that
 * follows from it cannot be interleaved with anything.
 */
export class GrantStore {
  readonly #storage: DurableObjectStorage;
  readonly #onChange: (grant: Grant | undefined) => number;
  #grant: Grant | undefined;
  /** Whether there is a table. */
  #isStored: boolean;

  /** @param onChange ends what a change leaves without ground; returns when time will next do so */
  constructor(storage: DurableObjectStorage, onChange: (grant: Grant | undefined) => number) {
    this.#storage = storage;
    this.#onChange = onChange;
    this.#isStored = [...storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'record'")].length > 0;
    this.#grant = this.read("grant");
  }

  grant(): Grant | undefined {
    return this.#grant;
  }

  /** Stores what a transition made of the grant and hands back its outcome. */
  commit<Outcome>({ next, outcome }: Transition<Outcome>): Outcome {
    if (next !== this.#grant) {
      this.#grant = next;
      if (next === undefined) {
        // From compatibility date 2026-02-24 this clears the alarm too.
        void this.#storage.deleteAll();
        this.#isStored = false;
      } else {
        if (next.state === "ended") this.#storage.sql.exec("DELETE FROM record");
        this.write("grant", next);
      }
      this.keepAlarm();
    }
    return outcome;
  }

  /** An alarm that came early, or for a deadline that has moved, is set again. */
  keepAlarm(): void {
    const next = this.#onChange(this.#grant);
    if (this.#grant !== undefined) void this.#storage.setAlarm(Math.min(deadline(this.#grant), next) * 1000);
  }

  /** Tables come with the first grant: asking a forged or finished id must leave nothing behind. */
  write<Name extends keyof Rows>(name: Name, value: Rows[Name]): void {
    if (!this.#isStored) this.#storage.sql.exec("CREATE TABLE record (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
    this.#isStored = true;
    this.#storage.sql.exec("REPLACE INTO record VALUES (?, ?)", name, JSON.stringify(value));
  }

  read<Name extends keyof Rows>(name: Name): Rows[Name] | undefined {
    if (!this.#isStored) return undefined;
    const [row] = this.#storage.sql.exec("SELECT value FROM record WHERE name = ?", name);
    // Only `write` puts anything here.
    return row && (JSON.parse(String(row.value)) as Rows[Name]);
  }
}
