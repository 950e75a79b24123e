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

  /**
   * Enters a grant that was just redeemed.
   * @returns the grants that it replaces: older ones of the same client, redirect and resource, and what is over the bound
   */
  async add(gid: string, authorization: Authorization): Promise<readonly string[]> {
    const { person, clientId, redirectUri, resource, createdAt, expiresAt } = authorization;
    const others = (await this.#list(person)).filter((entry) => entry.gid !== gid);
    const binding = await sha256(JSON.stringify([clientId, redirectUri, resource]));
    const key = `user:${await this.#hash(person, this.#ring.current)}:${gid}`;
    await this.#kv.put(key, "", { expiration: expiresAt, metadata: { createdAt, binding } });
    const replaced = others.filter((entry) => entry.binding === binding);
    const kept = others.filter((entry) => entry.binding !== binding).sort((a, b) => a.createdAt - b.createdAt);
    const gone = [...replaced, ...kept.slice(0, Math.max(0, kept.length + 1 - MAX_GRANTS_PER_PERSON))];
    await this.#remove(gone);
    return gone.map((entry) => entry.gid);
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
