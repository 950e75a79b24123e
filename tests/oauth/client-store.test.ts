// ST-03, ST-04, OA-09, D-46: where clients come from and how long they stay.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds } from "../../src/core/time.ts";
import { type Client, STATIC_CLIENT, STATIC_CLIENT_ID } from "../../src/oauth/client.ts";
import { createClientStore } from "../../src/oauth/client-store.ts";
import { GRANT_LIFETIME_SECONDS } from "../../src/oauth/grant/grant.ts";
import { NOW, PUBLIC_CLIENT } from "./context.ts";

const ID = PUBLIC_CLIENT.clientId;
const DAY = 86_400;

interface Put {
  readonly key: string;
  readonly text: string;
  readonly expirationTtl: number;
}

/** As much of a KV namespace as the store uses. */
function namespace(entries: Readonly<Record<string, unknown>> = {}) {
  const texts = new Map(
    Object.entries(entries).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
  const puts: Put[] = [];
  const gets: string[] = [];
  const kv = {
    async get(key: string) {
      gets.push(key);
      return texts.get(key) ?? null;
    },
    async put(key: string, text: string, { expirationTtl }: { readonly expirationTtl: number }) {
      texts.set(key, text);
      puts.push({ key, text, expirationTtl });
    },
  };
  return { kv: kv as unknown as KVNamespace, puts, gets };
}

function store(registered: Readonly<Record<string, unknown>> = {}, configured?: Readonly<Record<string, unknown>>) {
  const own = namespace(registered);
  const operator = configured === undefined ? undefined : namespace(configured);
  return { ...own, store: createClientStore(own.kv, operator?.kv, undefined) };
}

const UNREADABLE: readonly (readonly [what: string, record: unknown])[] = [
  ["no JSON", "{"],
  ["null", null],
  ["a record of another client", { ...PUBLIC_CLIENT, clientId: "other" }],
  ["a record without a client id", { ...PUBLIC_CLIENT, clientId: undefined }],
  ["a record with another method", { ...PUBLIC_CLIENT, tokenEndpointAuthMethod: "private_key_jwt" }],
  ["a record without redirect URIs", { ...PUBLIC_CLIENT, redirectUris: undefined }],
];

for (const [what, record] of UNREADABLE) {
  test(`ST-03: ${what} is no client`, async () => {
    assert.equal(await store({ [`client:${ID}`]: record }).store.find(ID), undefined);
  });
}

for (const clientId of ["", "a b", "a\nb", "ä", "a".repeat(257)]) {
  test(`RFC 6749 Appendix A.1: ${JSON.stringify(clientId.slice(0, 8))} is not even looked up`, async () => {
    const { store: clients, gets } = store();
    assert.deepEqual([await clients.find(clientId), gets], [undefined, []]);
  });
}

for (const clientId of [
  "https://127.0.0.1/client.json",
  "http://app.example.com/client.json",
  "https://app.example.com/",
]) {
  test(`OA-17: ${clientId} is not fetched and nobody's`, async () =>
    assert.equal(await store().store.find(clientId), undefined));
}

test("ST-03: a registered client is found", async () => {
  assert.deepEqual(await store({ [`client:${ID}`]: PUBLIC_CLIENT }).store.find(ID), PUBLIC_CLIENT);
});

test("ST-04: a client of the operator's is found", async () => {
  assert.deepEqual(await store({}, { [`client:${ID}`]: PUBLIC_CLIENT }).store.find(ID), PUBLIC_CLIENT);
});

test("ST-04: a registration goes before a client of the operator's", async () => {
  const configured = { [`client:${ID}`]: { ...PUBLIC_CLIENT, clientName: "Operator's" } };
  const found = await store({ [`client:${ID}`]: PUBLIC_CLIENT }, configured).store.find(ID);
  assert.equal(found?.clientName, PUBLIC_CLIENT.clientName);
});

const STATIC_KEY = `static_client_actual:${STATIC_CLIENT_ID}`;

test("OA-09: the static client is there without any storage", async () => {
  assert.deepEqual(await store().store.find(STATIC_CLIENT_ID), STATIC_CLIENT);
});

test("OA-09: nobody can register the static client's id", async () => {
  const forged = { ...PUBLIC_CLIENT, clientId: STATIC_CLIENT_ID };
  assert.deepEqual(await store({ [`client:${STATIC_CLIENT_ID}`]: forged }).store.find(STATIC_CLIENT_ID), STATIC_CLIENT);
});

test("OA-09: the static client is public and returns to loopback alone", () => {
  assert.equal(STATIC_CLIENT.tokenEndpointAuthMethod, "none");
  for (const uri of STATIC_CLIENT.redirectUris)
    assert.match(uri, /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])\/(oauth\/)?callback$/);
});

test("OA-09: the operator may map the static id to a client, which then answers to the static id", async () => {
  const found = await store({}, { [STATIC_KEY]: ID, [`client:${ID}`]: PUBLIC_CLIENT }).store.find(STATIC_CLIENT_ID);
  assert.deepEqual(found, { ...PUBLIC_CLIENT, clientId: STATIC_CLIENT_ID });
});

test("OA-09: mapped to a client that is gone, the static id is nobody", async () => {
  assert.equal(await store({}, { [STATIC_KEY]: ID }).store.find(STATIC_CLIENT_ID), undefined);
});

test("OA-09: no other id is mapped", async () => {
  const configured = { "static_client_actual:other": ID, [`client:${ID}`]: PUBLIC_CLIENT };
  assert.equal(await store({}, configured).store.find("other"), undefined);
});

test("D-46: an unused registration goes after a day", async () => {
  const { store: clients, puts } = store();
  await clients.save(PUBLIC_CLIENT);
  assert.deepEqual(
    puts.map(({ key, expirationTtl }) => [key, expirationTtl]),
    [[`client:${ID}`, DAY]],
  );
});

async function touched(client: Client, now = NOW) {
  const { store: clients, puts } = store({ [`client:${ID}`]: client });
  await clients.touch(client, now);
  return puts;
}

test("D-46: a used registration stays and says when it was used", async () => {
  const [put] = await touched(PUBLIC_CLIENT);
  assert.deepEqual(JSON.parse(put?.text ?? ""), { ...PUBLIC_CLIENT, lastUsedAt: NOW });
});

test("D-46: it is written at most once a day", async () => {
  const used = { ...PUBLIC_CLIENT, lastUsedAt: NOW };
  assert.deepEqual(await touched(used, addSeconds(NOW, DAY - 1)), []);
});

test("D-46: it is written again after a day", async () => {
  const used = { ...PUBLIC_CLIENT, lastUsedAt: NOW };
  assert.equal((await touched(used, addSeconds(NOW, DAY))).length, 1);
});

test("OA-14: a client outlives every grant it was used for, or a refresh would be invalid_client", async () => {
  const [put] = await touched(PUBLIC_CLIENT);
  // The last moment at which a use is not written down.
  const latestUse = DAY - 1;
  assert.ok((put?.expirationTtl ?? 0) >= latestUse + GRANT_LIFETIME_SECONDS, `kept for ${put?.expirationTtl} seconds`);
});

test("D-46: a touch that the store refuses (KV takes one write a second per key) is no fault", async () => {
  const { kv } = namespace({ [`client:${ID}`]: PUBLIC_CLIENT });
  const refusing = { get: kv.get, put: () => Promise.reject(new Error("429")) } as unknown as KVNamespace;
  await createClientStore(refusing, undefined, undefined).touch(PUBLIC_CLIENT, NOW);
});

test("ST-04: a client of the operator's is never copied and gets no expiry", async () => {
  const { store: clients, puts } = store({}, { [`client:${ID}`]: PUBLIC_CLIENT });
  await clients.touch(PUBLIC_CLIENT, NOW);
  assert.deepEqual(puts, []);
});

test("OA-09: using the static client slides the registration it is mapped to, under that one's own id", async () => {
  const { store: clients, puts } = store({ [`client:${ID}`]: PUBLIC_CLIENT }, { [STATIC_KEY]: ID });
  await clients.touch((await clients.find(STATIC_CLIENT_ID)) ?? assert.fail("unknown"), NOW);
  assert.deepEqual(
    puts.map(({ key, text }) => [key, JSON.parse(text)]),
    [[`client:${ID}`, { ...PUBLIC_CLIENT, lastUsedAt: NOW }]],
  );
});

test("OA-09: using the static client writes nothing", async () => {
  const { store: clients, puts } = store();
  await clients.touch(STATIC_CLIENT, NOW);
  assert.deepEqual(puts, []);
});
