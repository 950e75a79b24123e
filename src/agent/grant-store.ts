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

/**
 * What one grant's object keeps: three rows in one table. Every method is synchronous, so a check and the write that
 * follows from it cannot be interleaved with anything.
 */
export class GrantStore {
  readonly #storage: DurableObjectStorage;
  readonly #onChange: (grant: Grant | undefined) => EpochSeconds | undefined;
  #grant: Grant | undefined;
  #isLoaded = false;

  /** @param onChange ends what a change leaves without ground; returns when time will next do so */
  constructor(storage: DurableObjectStorage, onChange: (grant: Grant | undefined) => EpochSeconds | undefined) {
    this.#storage = storage;
    this.#onChange = onChange;
  }

  grant(): Grant | undefined {
    if (!this.#isLoaded) {
      this.#grant = this.#read<Grant>("grant");
      this.#isLoaded = true;
    }
    return this.#grant;
  }

  /** Stores what a transition made of the grant and hands back its outcome. */
  commit<Outcome>(transition: Transition<Outcome>): Outcome {
    if (transition.next !== this.grant()) this.#replace(transition.next);
    return transition.outcome;
  }

  microsoft(): MicrosoftRecord | undefined {
    return this.#read<MicrosoftRecord>("microsoft");
  }

  saveMicrosoft(record: MicrosoftRecord): void {
    this.#write("microsoft", record);
  }

  usage(): Usage | undefined {
    return this.#read<Usage>("usage");
  }

  saveUsage(usage: Usage): void {
    this.#write("usage", usage);
  }

  /** An alarm that came early, or for a deadline that has moved, is set again. */
  keepAlarm(): void {
    const grant = this.grant();
    const next = this.#onChange(grant);
    if (grant !== undefined) void this.#storage.setAlarm(Math.min(deadline(grant), next ?? Infinity) * 1000);
  }

  #replace(next: Grant | undefined): void {
    this.#grant = next;
    if (next === undefined) {
      // From compatibility date 2026-02-24 this clears the alarm too.
      void this.#storage.deleteAll();
    } else {
      if (next.state === "ended" && this.#hasTable()) this.#storage.sql.exec("DELETE FROM record");
      this.#write("grant", next);
    }
    this.keepAlarm();
  }

  /** Tables come with the first grant: asking a forged or finished id must leave nothing behind. */
  #write(name: string, value: object): void {
    this.#storage.sql.exec("CREATE TABLE IF NOT EXISTS record (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
    this.#storage.sql.exec("INSERT OR REPLACE INTO record (name, value) VALUES (?, ?)", name, JSON.stringify(value));
  }

  #read<Value>(name: string): Value | undefined {
    if (!this.#hasTable()) return undefined;
    const [row] = this.#storage.sql.exec("SELECT value FROM record WHERE name = ?", name).toArray();
    // Only `#write` puts anything here, and it was handed a `Value`.
    return row === undefined ? undefined : (JSON.parse(String(row.value)) as Value);
  }

  #hasTable(): boolean {
    const tables = this.#storage.sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'record'");
    return tables.toArray().length > 0;
  }
}
