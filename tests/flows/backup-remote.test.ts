// BK-01: without --local it is the namespace at Cloudflare, here a server that answers as its API is documented.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBackup, type Entry } from "../../fixtures/backup/file.ts";
import { openWorkplace } from "../support/backup.ts";

function bytesOf(entry: Entry | undefined): Buffer {
  return typeof entry?.value === "string" ? Buffer.from(entry.value) : Buffer.from(entry?.value ?? []);
}

/** As much of Cloudflare's API as wrangler uses, with the pages and the answers that its reference documents. */
async function startApi(entries: readonly Entry[]) {
  const stored = new Map(entries.map((entry) => [entry.key, entry]));
  const writes: unknown[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { pathname, searchParams } = new URL(request.url ?? "", "http://api");
    const [, place = ""] =
      /^\/accounts\/account\/storage\/kv\/namespaces\/REPLACE_WITH_OAUTH_KV_ID\/(.*)$/.exec(pathname) ?? [];
    const answer = (result: unknown, info: object = {}) =>
      response
        .setHeader("content-type", "application/json")
        .end(JSON.stringify({ success: true, errors: [], messages: [], result, ...info }));
    if (place === "keys") {
      const all = [...stored.values()].map(({ key: name, metadata, expiration }) => ({ name, metadata, expiration }));
      const isFirst = !searchParams.has("cursor");
      answer(isFirst ? all.slice(0, 1) : all.slice(1), { result_info: { cursor: isFirst ? "more" : "" } });
    } else if (place === "bulk/get") {
      const { keys } = JSON.parse(body.toString("utf8")) as { keys: string[] };
      const values = keys.map((key) => [key, bytesOf(stored.get(key)).toString("utf8")]);
      answer({ values: Object.fromEntries(values) });
    } else if (request.method === "GET") {
      response.end(bytesOf(stored.get(decodeURIComponent(place.slice("values/".length)))));
    } else {
      writes.push([place, place === "bulk" ? JSON.parse(body.toString("utf8")) : body.includes(bytesOf(BINARY))]);
      answer({});
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const env = {
    CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    CLOUDFLARE_API_TOKEN: "invented",
    CLOUDFLARE_ACCOUNT_ID: "account",
  };
  return { env, writes, close: () => server.close() };
}

const seconds = () => Math.floor(Date.now() / 1000);

const TEXT: Entry = { key: "client:a/b c", value: '{"clientName":"Größe"}', metadata: { registeredAt: 1 } };
const INDEX: Entry = { key: "user:hash:gid", value: "", expiration: seconds() + 3600 };
const BINARY: Entry = { key: "bytes", value: new Uint8Array([0xff, 0x00, 0x80, 0x0a]), metadata: { a: 1 } };
const PAST: Entry = { key: "past", value: "x", expiration: seconds() - 5 };
const SOON: Entry = { key: "soon", value: "x", expiration: seconds() + 30 };

test("BK-01: what is at Cloudflare is read page by page and written back, but for what expires within a minute", async (t) => {
  const workplace = await openWorkplace();
  t.after(workplace.close);
  const stored = [TEXT, INDEX, BINARY, PAST, SOON];
  const api = await startApi(stored);
  t.after(api.close);
  const file = join(workplace.folder, "remote.jsonl");

  const backup = await workplace.run("backup", [file], api.env);
  assert.equal(backup.code, 0, backup.stderr);
  assert.match(backup.stdout, /^5 keys of OAUTH_KV, at Cloudflare: written to /);
  const readable = (entries: readonly Entry[]) => entries.map((entry) => ({ ...entry, value: bytesOf(entry) }));
  assert.deepEqual(readable(decodeBackup(await readFile(file, "utf8")).entries), readable(stored));

  const restore = await workplace.run("restore", [file], api.env);
  assert.equal(restore.code, 0, restore.stderr);
  assert.match(restore.stdout, /^3 of 5 keys written: OAUTH_KV, at Cloudflare\./);
  assert.match(restore.stdout, /^1 skipped: they have expired/m);
  assert.match(restore.stdout, /^1 skipped: they expire within a minute/m);
  assert.deepEqual(api.writes, [
    ["bulk", [TEXT, INDEX]],
    ["values/bytes", true],
  ]);
});
