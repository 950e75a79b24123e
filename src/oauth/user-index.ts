import { base64url, utf8 } from "../core/bytes.ts";
import { hmac, sha256 } from "../crypto/hash.ts";
import { deriveMacKey } from "../crypto/keys.ts";
import { about, type OAuthContext, tokenKeys } from "./context.ts";
import type { Authorization } from "./grant/grant.ts";
import type { UserKey } from "./grants.ts";

/**
 * Finds a person's grants: an entry of `OAUTH_KV` is `user:<hash>:<gid>`. Eventually consistent, which only delays what
 * it is for: tidying and revoking.
 */

/** More than anybody has clients; over it the oldest grant ends. */
const MAX_GRANTS_PER_PERSON = 50;

/** When the grant began, in seconds since the epoch, and for what (under 1,024 bytes). */
interface Metadata {
  readonly createdAt: number;
  readonly binding?: string;
}

interface Entry extends Metadata {
  readonly key: string;
  readonly gid: string;
}

/** Enters a grant under the current key, and takes it from under the previous one. */
export async function enterGrant(gid: string, authorization: Authorization, context: OAuthContext): Promise<string> {
  const { person, clientId, redirectUri, resource, createdAt, expiresAt } = authorization;
  const binding = await sha256(JSON.stringify([clientId, redirectUri, resource]));
  const [current, previous] = await prefixesOf(person, context);
  await context.registrations.put(`${current}${gid}`, "", { expiration: expiresAt, metadata: { createdAt, binding } });
  if (previous !== undefined) await context.registrations.delete(`${previous}${gid}`);
  return binding;
}

/** Enters whoever goes on and is not there: entering failed, or the key is being replaced. */
export async function renewEntry(gid: string, authorization: Authorization, context: OAuthContext): Promise<void> {
  const [current] = await prefixesOf(authorization.person, context);
  // A read costs less than a write.
  if ((await context.registrations.get(`${current}${gid}`)) === null) await enterGrant(gid, authorization, context);
}

/**
 * Enters a grant that was just redeemed, and ends those that it replaces: older ones of the same client, redirect and
 * resource, and what is over the bound. Entries of grants that are over do not count.
 */
export async function addGrant(gid: string, authorization: Authorization, context: OAuthContext): Promise<void> {
  let others: readonly Entry[];
  let binding: string;
  try {
    // Before it is entered: two that are redeemed at once cannot both find, and end, each other.
    others = (await listEntries(authorization.person, context)).filter((entry) => entry.gid !== gid);
  } finally {
    // Tidying may fail and wait for the next sign-in; the operator's revocation depends on this.
    binding = await enterGrant(gid, authorization, context);
  }
  let kept = others.filter((entry) => entry.binding !== binding).sort((a, b) => b.createdAt - a.createdAt);
  if (kept.length >= MAX_GRANTS_PER_PERSON) {
    const states = await Promise.all(kept.map((entry) => context.grants(entry.gid).state()));
    kept = kept.filter((_, index) => (states[index] ?? "ended") !== "ended").slice(0, MAX_GRANTS_PER_PERSON - 1);
  }
  await endEntries(
    others.filter((entry) => !kept.includes(entry)),
    context,
  );
}

/** Ends all of a person's grants. @returns how many there were to end, and how many could not be reached */
export async function endGrants(person: UserKey, context: OAuthContext) {
  return endEntries(await listEntries(person, context), context);
}

/** An entry goes only after its grant has ended, so that what failed can be tried again. */
async function endEntries(entries: readonly Entry[], context: OAuthContext) {
  let [ended, failed] = [0, 0];
  for (const { key, gid } of entries) {
    try {
      const wasAlive = await context.grants(gid).endGrant(about(gid, context));
      await context.registrations.delete(key);
      if (wasAlive) ended += 1;
    } catch {
      failed += 1;
    }
  }
  return { ended, failed };
}

/** Under the current and the previous key, a thousand at a time. */
async function listEntries(person: UserKey, context: OAuthContext): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (const prefix of await prefixesOf(person, context)) {
    let cursor: string | null = null;
    do {
      const page: KVNamespaceListResult<Metadata> = await context.registrations.list({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        found.push({ key: name, gid: name.slice(prefix.length), createdAt: 0, ...metadata });
      }
      cursor = page.list_complete ? null : page.cursor;
    } while (cursor !== null);
  }
  return found;
}

/** What a person's entries begin with: by the current key, and by the previous one where there is one. */
async function prefixesOf({ tid, oid }: UserKey, { config }: OAuthContext): Promise<readonly string[]> {
  return Promise.all(
    (await tokenKeys(config)).map(async (key) => {
      const hash = await hmac(await deriveMacKey(key, "user-index"), utf8(`${tid}/${oid}`));
      return `user:${base64url(hash)}:`;
    }),
  );
}
