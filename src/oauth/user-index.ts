import { base64url, utf8 } from "../core/bytes.ts";
import { hmac, sha256 } from "../crypto/hash.ts";
import { deriveMacKey, type KeyRing } from "../crypto/keys.ts";
import type { Authorization } from "./grant/grant.ts";
import type { UserKey } from "./grants.ts";

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

  constructor(kv: KVNamespace, ring: KeyRing) {
    this.#kv = kv;
    this.#ring = ring;
  }

  /** Enters a grant under the current key, and takes it from under the previous one. */
  async put(
    gid: string,
    { person, clientId, redirectUri, resource, createdAt, expiresAt }: Authorization,
  ): Promise<string> {
    const { current, previous } = this.#ring;
    const binding = await sha256(JSON.stringify([clientId, redirectUri, resource]));
    const key = `user:${await this.#hash(person, current)}:${gid}`;
    await this.#kv.put(key, "", { expiration: expiresAt, metadata: { createdAt, binding } });
    if (previous !== undefined) await this.#kv.delete(`user:${await this.#hash(person, previous)}:${gid}`);
    return binding;
  }

  /**
   * Enters a grant that was just redeemed.
   * @param isAlive asked only when the bound is reached: entries of grants that are over do not count
   * @returns the grants that it replaces: older ones of the same client, redirect and resource, and what is over the bound
   */
  async add(
    gid: string,
    authorization: Authorization,
    isAlive: (gid: string) => Promise<boolean>,
  ): Promise<readonly string[]> {
    const others = (await this.#list(authorization.person)).filter((entry) => entry.gid !== gid);
    const binding = await this.put(gid, authorization);
    const replaced = others.filter((entry) => entry.binding === binding);
    const kept = others.filter((entry) => entry.binding !== binding).sort((a, b) => a.createdAt - b.createdAt);
    if (kept.length >= MAX_GRANTS_PER_PERSON) {
      const alive = await Promise.all(kept.map((entry) => isAlive(entry.gid)));
      replaced.push(...kept.filter((_, index) => !alive[index]));
      const living = kept.filter((_, index) => alive[index]);
      replaced.push(...living.slice(0, Math.max(0, living.length + 1 - MAX_GRANTS_PER_PERSON)));
    }
    await this.#remove(replaced);
    return replaced.map((entry) => entry.gid);
  }

  /** Takes all of a person's grants out of the index. */
  async removeAll(person: UserKey): Promise<readonly string[]> {
    const entries = await this.#list(person);
    await this.#remove(entries);
    return entries.map((entry) => entry.gid);
  }

  async #remove(entries: readonly Entry[]): Promise<void> {
    await Promise.all(entries.map(({ key }) => this.#kv.delete(key)));
  }

  /** Under the current and the previous key, a thousand at a time. */
  async #list(person: UserKey): Promise<readonly Entry[]> {
    const { current, previous } = this.#ring;
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

  async #hash({ tid, oid }: UserKey, key: KeyRing["current"]): Promise<string> {
    return base64url(await hmac(await deriveMacKey(key, "user-index"), utf8(`${tid}/${oid}`)));
  }
}
