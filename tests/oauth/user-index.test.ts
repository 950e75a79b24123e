import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { epochSeconds } from "../../src/core/time.ts";
import type { OAuthContext } from "../../src/oauth/context.ts";
import type { Authorization } from "../../src/oauth/grant/grant.ts";
import type { Grants } from "../../src/oauth/grants.ts";
import { addGrant, endGrants, enterGrant, renewEntry } from "../../src/oauth/user-index.ts";
import { testConfig } from "../environment.ts";
import { fakeContext } from "./context.ts";

const NOW = epochSeconds(Date.parse("2026-11-21T12:00:00Z"));
const PERSON = { tid: "t", oid: "o", name: "Ada Novak", email: "ada@contoso.example" };
const KEY = "9197ff8bdbdc05484c7e26a2f982c1d65bddd39952a1a8a5ee623a78e742da23";
const OTHER_KEY = "9f8973849f21478416fd01ba11c98a9f883de6480a56157692e85a5e2f4fa847";

function authorizationOf(clientId: string, createdAt = NOW): Authorization {
  const expiresAt = epochSeconds((createdAt + 90 * 86_400) * 1000);
  const redirectUri = "https://app.example.com/callback";
  return {
    clientId,
    redirectUri,
    resource: "x",
    scopes: [],
    person: PERSON,
    accessIdentity: null,
    createdAt,
    expiresAt,
  };
}

/** KV as far as the index uses it. */
class Memory {
  readonly entries = new Map<string, unknown>();
  puts = 0;
  async get(key: string): Promise<string | null> {
    return this.entries.has(key) ? "" : null;
  }
  async put(key: string, _value: string, { metadata }: { metadata: unknown }): Promise<void> {
    this.puts += 1;
    this.entries.set(key, metadata);
  }
  async delete(key: string): Promise<void> {
    this.entries.delete(key);
  }
  async list({ prefix }: { prefix: string }) {
    const names = [...this.entries.keys()].filter((name) => name.startsWith(prefix));
    return { keys: names.map((name) => ({ name, metadata: this.entries.get(name) })), list_complete: true };
  }
}

/** Grants that are alive until they are ended; those in `broken` cannot be reached. */
function livingGrants(broken: ReadonlySet<string> = new Set(), over: ReadonlySet<string> = new Set()) {
  const ended: string[] = [];
  const grants = (gid: string) => ({
    state: async () => (over.has(gid) ? "ended" : "active"),
    endGrant: async () => {
      if (broken.has(gid)) throw new Error("the object cannot be reached");
      ended.push(gid);
      return !over.has(gid);
    },
  });
  return { ended, grants: grants as unknown as Grants };
}

interface Keys {
  readonly current?: string;
  readonly previous?: string;
}

/** What an endpoint is given, with this index and these grants. */
function contextOf(
  memory: Memory,
  grants = livingGrants().grants,
  { current = KEY, previous }: Keys = {},
): OAuthContext {
  const config = { ...testConfig({ ENCRYPTION_KEY: current }), ENCRYPTION_KEY_PREVIOUS: previous };
  return { ...fakeContext({ config }), registrations: memory as unknown as KVNamespace, grants };
}

test("OA-20: what could not be ended stays in the index, is counted, and ends at the next call", async () => {
  const memory = new Memory();
  for (const gid of ["a", "b", "c"]) await enterGrant(gid, authorizationOf(gid), contextOf(memory));
  const broken = livingGrants(new Set(["b"]));
  assert.deepEqual(await endGrants(PERSON, contextOf(memory, broken.grants)), { ended: 2, failed: 1 });
  const mended = livingGrants();
  assert.deepEqual(await endGrants(PERSON, contextOf(memory, mended.grants)), { ended: 1, failed: 0 });
  assert.deepEqual(mended.ended, ["b"]);
  assert.equal(memory.entries.size, 0);
});

test("OA-20: a new grant is in the index though the others could not be listed", async () => {
  const memory = new Memory();
  const list = memory.list.bind(memory);
  memory.list = () => Promise.reject(new Error("KV cannot list"));
  await assert.rejects(addGrant("a", authorizationOf("a"), contextOf(memory)));
  memory.list = list;
  assert.deepEqual(await endGrants(PERSON, contextOf(memory)), { ended: 1, failed: 0 });
});

test("OA-20: a refresh enters a grant that is not in the index, and writes nothing when it is", async () => {
  const memory = new Memory();
  for (let count = 0; count < 3; count += 1) await renewEntry("a", authorizationOf("a"), contextOf(memory));
  assert.equal(memory.puts, 1);
  assert.deepEqual(await endGrants(PERSON, contextOf(memory)), { ended: 1, failed: 0 });
});

test("OA-20: a grant that was over already is taken out and not counted", async () => {
  const memory = new Memory();
  await enterGrant("a", authorizationOf("a"), contextOf(memory));
  assert.deepEqual(await endGrants(PERSON, contextOf(memory, livingGrants(new Set(), new Set(["a"])).grants)), {
    ended: 0,
    failed: 0,
  });
});

test("OA-19: a new grant of the same client, redirect and resource ends the older one and no other", async () => {
  const memory = new Memory();
  const { ended, grants } = livingGrants();
  await addGrant("old", authorizationOf("client"), contextOf(memory, grants));
  await addGrant("other", authorizationOf("another client"), contextOf(memory, grants));
  await addGrant("new", authorizationOf("client"), contextOf(memory, grants));
  assert.deepEqual(ended, ["old"]);
});

test("OA-19: of grants that are redeemed at once one at least is left, however the store is slow (property)", async () => {
  const steps = fc.array(fc.nat(5), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 4 }), steps, async (count, delays) => {
      const memory = new Memory();
      let turn = 0;
      const slow = new Proxy(memory, {
        get(target, name) {
          const method = Reflect.get(target, name) as (...args: unknown[]) => Promise<unknown>;
          return async (...args: unknown[]) => {
            turn += 1;
            for (let left = delays[turn % delays.length] ?? 0; left > 0; left -= 1) await Promise.resolve();
            return method.apply(target, args);
          };
        },
      });
      const { ended, grants } = livingGrants();
      const gids = Array.from({ length: count }, (_, index) => `g${index}`);
      await Promise.all(gids.map((gid) => addGrant(gid, authorizationOf("client"), contextOf(slow, grants))));
      assert.ok(new Set(ended).size < count, `all of ${count} ended`);
    }),
    { numRuns: 300 },
  );
});

test("OA-19: at the bound of 50 entries of grants that are over give way first", async () => {
  const memory = new Memory();
  for (let number = 0; number < 50; number += 1) {
    const authorization = authorizationOf(`client ${number}`, epochSeconds((NOW + number) * 1000));
    await enterGrant(`g${number}`, authorization, contextOf(memory));
  }
  const { ended, grants } = livingGrants(new Set(), new Set(["g30"]));
  await addGrant("new", authorizationOf("new client"), contextOf(memory, grants));
  assert.deepEqual(ended, ["g30"]);
  assert.equal(memory.entries.size, 50);
});

test("OA-19: the 51st living grant ends the oldest", async () => {
  const memory = new Memory();
  for (let number = 0; number < 50; number += 1) {
    const authorization = authorizationOf(`client ${number}`, epochSeconds((NOW + number) * 1000));
    await enterGrant(`g${number}`, authorization, contextOf(memory));
  }
  const { ended, grants } = livingGrants();
  await addGrant("new", authorizationOf("new client"), contextOf(memory, grants));
  assert.deepEqual(ended, ["g0"]);
});

test("KR-01: an entry moves to the current key, so that it outlives the previous one", async () => {
  const memory = new Memory();
  await enterGrant("a", authorizationOf("client"), contextOf(memory, undefined, { current: OTHER_KEY }));
  await enterGrant("a", authorizationOf("client"), contextOf(memory, undefined, { previous: OTHER_KEY }));
  assert.equal(memory.entries.size, 1);
  const { grants } = livingGrants();
  assert.deepEqual(await endGrants(PERSON, contextOf(memory, grants)), { ended: 1, failed: 0 });
});

test("KR-01: a refresh moves it, once", async () => {
  const memory = new Memory();
  const keys = { previous: OTHER_KEY };
  await enterGrant("a", authorizationOf("client"), contextOf(memory, undefined, { current: OTHER_KEY }));
  const [before] = memory.entries.keys();
  for (let count = 0; count < 3; count += 1)
    await renewEntry("a", authorizationOf("client"), contextOf(memory, undefined, keys));
  assert.deepEqual([memory.entries.size, memory.entries.has(before ?? ""), memory.puts], [1, false, 2]);
});

test("LG-07: no name, address or id of the person is in a key or its metadata", async () => {
  const memory = new Memory();
  await enterGrant("a", authorizationOf("client"), contextOf(memory));
  const stored = JSON.stringify([...memory.entries]);
  for (const word of ["Ada", "ada@", "contoso", "app.example.com"]) assert.ok(!stored.includes(word), word);
});
