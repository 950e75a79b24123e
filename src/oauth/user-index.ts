import { base64url, utf8 } from "../core/bytes.ts";
import { hmac, sha256 } from "../crypto/hash.ts";
import { deriveMacKey, type KeyRing } from "../crypto/keys.ts";
import type { Authorization } from "./grant/grant.ts";
import type { Grants, Trace, UserKey } from "./grants.ts";

/** More than anybody has clients; over it the oldest grant ends. */
const MAX_GRANTS_PER_PERSON = 50;

/** An entry is `user:<hash>:<gid>`; its metadata says when the grant began and for what (under 1,024 bytes). */
interface Entry {
  readonly key: string;
  readonly gid: string;
  readonly createdAt: number;
  readonly binding: string;
}

/** Finds a person's grants. Eventually consistent, which only delays what it is for: tidying and revoking. */
export class UserIndex {
  readonly #kv: KVNamespace;
  readonly #ring: KeyRing;

  readonly #trace: Trace;

  constructor(kv: KVNamespace, ring: KeyRing, trace: Trace) {
    this.#kv = kv;
    this.#ring = ring;
    this.#trace = trace;
  }

  /** Enters a grant under the current key, and takes it from under the previous one. */
  async put(
    gid: string,
    { person, clientId, redirectUri, resource, createdAt, expiresAt }: Authorization,
  ): Promise<string> {
    const [current, previous] = this.#ring;
    const binding = await sha256(JSON.stringify([clientId, redirectUri, resource]));
    const key = `user:${await this.#hash(person, current)}:${gid}`;
    await this.#kv.put(key, "", { expiration: expiresAt, metadata: { createdAt, binding } });
    if (previous !== undefined) await this.#kv.delete(`user:${await this.#hash(person, previous)}:${gid}`);
    return binding;
  }

  /**
   * Enters a grant that was just redeemed, and ends those that it replaces: older ones of the same client, redirect and
   * resource, and what is over the bound. Entries of grants that are over do not count.
   */
  async add(gid: string, authorization: Authorization, grants: Grants): Promise<void> {
    const others = (await this.#list(authorization.person)).filter((entry) => entry.gid !== gid);
    const binding = await this.put(gid, authorization);
    const replaced = others.filter((entry) => entry.binding === binding);
    const kept = others.filter((entry) => entry.binding !== binding).sort((a, b) => a.createdAt - b.createdAt);
    if (kept.length >= MAX_GRANTS_PER_PERSON) {
      const states = await Promise.all(kept.map((entry) => grants(entry.gid).state()));
      const isOver = (_: Entry, index: number) => [undefined, "ended"].includes(states[index]);
      const living = kept.filter((entry, index) => !isOver(entry, index));
      replaced.push(...kept.filter(isOver), ...living.slice(0, Math.max(0, living.length + 1 - MAX_GRANTS_PER_PERSON)));
    }
    await this.#end(replaced, grants);
  }

  /** Ends all of a person's grants. @returns how many there were to end, and how many could not be reached */
  async endAll(person: UserKey, grants: Grants): Promise<{ readonly ended: number; readonly failed: number }> {
    return this.#end(await this.#list(person), grants);
  }

  /** An entry goes only after its grant has ended, so that what failed can be tried again. */
  async #end(entries: readonly Entry[], grants: Grants) {
    const results = await Promise.allSettled(
      entries.map(async ({ key, gid }) => {
        const wasAlive = await grants(gid).endGrant({ trace: this.#trace, gid });
        await this.#kv.delete(key);
        return wasAlive;
      }),
    );
    const values = results.map((result) => (result.status === "fulfilled" ? result.value : undefined));
    return {
      ended: values.filter((value) => value === true).length,
      failed: values.filter((value) => value === undefined).length,
    };
  }

  /** Under the current and the previous key, a thousand at a time. */
  async #list(person: UserKey): Promise<readonly Entry[]> {
    const [current, previous] = this.#ring;
    const found: Entry[] = [];
    for (const key of previous === undefined ? [current] : [current, previous]) {
      const prefix = `user:${await this.#hash(person, key)}:`;
      for (let cursor: string | null = null, isComplete = false; !isComplete; ) {
        const page: KVNamespaceListResult<Omit<Entry, "key" | "gid">> = await this.#kv.list({ prefix, cursor });
        for (const { name, metadata } of page.keys) {
          found.push({ key: name, gid: name.slice(prefix.length), createdAt: 0, binding: "", ...metadata });
        }
        isComplete = page.list_complete;
        cursor = page.list_complete ? null : page.cursor;
      }
    }
    return found;
  }

  async #hash({ tid, oid }: UserKey, key: KeyRing[0]): Promise<string> {
    return base64url(await hmac(await deriveMacKey(key, "user-index"), utf8(`${tid}/${oid}`)));
  }
}
