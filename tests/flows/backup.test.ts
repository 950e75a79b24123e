// BK-01: the commands as an operator runs them, with the namespaces that `wrangler dev` keeps on this machine.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Miniflare } from "miniflare";
import { readArguments } from "../../fixtures/backup/arguments.ts";
import { BackupProblem, decodeBackup, type Entry, encodeBackup } from "../../fixtures/backup/file.ts";
import { ROOT } from "../../fixtures/bundle.ts";

let folder = "";
let config = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "m365-backup-test-"));
  config = join(folder, "wrangler.toml");
  await copyFile(join(ROOT, "wrangler.toml.example"), config);
});
after(() => rm(folder, { recursive: true, force: true }));

type KVNamespace = Awaited<ReturnType<Miniflare["getKVNamespace"]>>;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (command: "backup" | "restore", ...args: string[]) => runWith({}, command, ...args);

function runWith(env: NodeJS.ProcessEnv, command: string, ...args: string[]): Promise<Ended> {
  const script = ["--import", "tsx", join(ROOT, "fixtures", `${command}.ts`), "--config", config, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, script, { cwd: ROOT, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const local = (state: string, ...args: string[]) => ["--local", "--persist-to", join(folder, state), ...args];

/** A namespace where wrangler looks for it, named by the id of the example. */
async function withNamespace<Value>(
  state: string,
  use: (kv: KVNamespace) => Promise<Value>,
  id = "REPLACE_WITH_OAUTH_KV_ID",
): Promise<Value> {
  const mf = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    defaultPersistRoot: join(folder, state, "v3"),
    kvNamespaces: { KV: id },
    cf: false,
  });
  try {
    return await use(await mf.getKVNamespace("KV"));
  } finally {
    await mf.dispose();
  }
}

const seconds = () => Math.floor(Date.now() / 1000);
const HOUR = 3600;

const BINARY = new Uint8Array([0xff, 0xfe, 0x00, 0x80, 0x0a, 0x0d, 0x22]);

/** What the product writes, and what an operator may have written. */
const ENTRIES: readonly Entry[] = [
  {
    key: "client:0b6e1a52-44f1-4d2c-9a7e-30f7f1c0a001",
    value: JSON.stringify({ clientName: "Größe \u2028 “quoted”\n", secretHash: "not-a-secret" }),
    metadata: { clientName: "Größe", registeredAt: 1_795_000_000 },
    expiration: seconds() + HOUR,
  },
  { key: "client:of the operator/without end", value: "{}" },
  { key: "a text that looks decoded", value: "\uFFFD" },
  { key: "a mark at the start", value: "\uFEFF{}" },
  { key: "bytes", value: BINARY, metadata: "a text", expiration: seconds() + HOUR },
  // More than one batch of them, with nothing as their value.
  ...Array.from({ length: 120 }, (_, index) => ({
    key: `user:${"h".repeat(43)}:${String(index).padStart(22, "0")}`,
    value: "",
    metadata: { createdAt: 1_795_000_000 + index, binding: "b" },
    expiration: seconds() + HOUR + index,
  })),
];

async function fill(kv: KVNamespace, entries: readonly Entry[]): Promise<void> {
  for (const { key, value, metadata, expiration } of entries) {
    const extras = { ...(metadata !== undefined && { metadata }), ...(expiration !== undefined && { expiration }) };
    await kv.put(key, value, extras);
  }
}

/** Everything of a namespace, with bytes as base64. */
async function contents(kv: KVNamespace) {
  const { keys } = await kv.list();
  return Promise.all(
    keys.map(async ({ name, metadata, expiration }) => {
      const value = await kv.get(name, "arrayBuffer");
      return { name, metadata, expiration, value: Buffer.from(value ?? new ArrayBuffer(0)).toString("base64") };
    }),
  );
}

test("BK-01: keys, values, metadata and expiry go round, to the byte; what is there is written over, what else is there stays", async () => {
  await withNamespace("from", (kv) => fill(kv, ENTRIES));
  const file = join(folder, "round.jsonl");
  const backup = await run("backup", ...local("from", file));
  assert.equal(backup.code, 0, backup.stderr);
  assert.match(backup.stdout, /^125 keys of OAUTH_KV, on this machine: written to /);
  assert.match(backup.stdout, /secrets are in it as hashes/);
  assert.match(backup.stdout, /Grants live in Durable Objects and are not in any backup/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  // A restore that was cut short left this one, and somebody registered since.
  const later = { key: "client:later", value: "{}" };
  await withNamespace("to", (kv) => fill(kv, [{ key: "bytes", value: "half" }, later]));
  const restore = await run("restore", ...local("to", file));
  assert.equal(restore.code, 0, restore.stderr);
  assert.match(restore.stdout, /^125 of 125 keys written: OAUTH_KV, on this machine\./);
  await withNamespace("from", (kv) => fill(kv, [later]));
  assert.deepEqual(await withNamespace("to", contents), await withNamespace("from", contents));
});

test("BK-01: what has expired, or expires within a minute, is skipped and counted", async () => {
  const file = join(folder, "expiring.jsonl");
  const entries: readonly Entry[] = [
    { key: "past", value: "1", expiration: seconds() - 5 },
    { key: "soon", value: "2", expiration: seconds() + 30 },
    { key: "later", value: "3", expiration: seconds() + HOUR },
  ];
  await writeFile(file, encodeBackup({ binding: "OAUTH_KV", createdAt: "", entries }));
  const { code, stdout, stderr } = await run("restore", ...local("expiring", file));
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^1 of 3 keys written/);
  assert.match(stdout, /^1 skipped: they have expired/m);
  assert.match(stdout, /^1 skipped: they expire within a minute/m);
  assert.deepEqual(
    (await withNamespace("expiring", contents)).map(({ name }) => name),
    ["later"],
  );
});

test("BK-01: --env and --binding choose the namespace, and what is elsewhere stays", async () => {
  const configured = [{ key: "static_client_actual:rnd", value: "one" }];
  await withNamespace("chosen", (kv) => fill(kv, configured), "REPLACE_WITH_CONFIG_KV_ID");
  await withNamespace("chosen", (kv) => fill(kv, [{ key: "other", value: "two" }]));
  const file = join(folder, "chosen.jsonl");
  const { code, stderr } = await run(
    "backup",
    "--binding",
    "CONFIG_KV",
    "--env",
    "production",
    ...local("chosen", file),
  );
  assert.equal(code, 0, stderr);
  const { binding, entries } = decodeBackup(await readFile(file, "utf8"));
  assert.deepEqual([binding, entries], ["CONFIG_KV", configured]);
});

describe("BK-01: refused in one line, exit 1, nothing written:", () => {
  const good = encodeBackup({ binding: "OAUTH_KV", createdAt: "", entries: ENTRIES });

  test("a file that exists is not overwritten", async () => {
    const file = join(folder, "precious");
    await writeFile(file, "precious");
    const { code, stderr } = await run("backup", ...local("from", file));
    assert.deepEqual([code, await readFile(file, "utf8")], [1, "precious"]);
    assert.match(stderr, /^No backup was made: .*precious exists and is kept: name another file\n$/);
  });

  test("a backup that fails leaves no file", async () => {
    const file = join(folder, "never");
    const { code, stderr } = await run("backup", "--binding", "NO_SUCH_KV", ...local("from", file));
    assert.equal(code, 1);
    assert.match(stderr, /NO_SUCH_KV/);
    await assert.rejects(stat(file));
  });

  test("a file that is cut or altered is not restored", async () => {
    const file = join(folder, "altered.jsonl");
    await writeFile(file, good.replace("user:h", "user:g"));
    const { code, stderr } = await run("restore", ...local("untouched", file));
    assert.deepEqual([code, stderr], [1, "Nothing more was restored: it was altered: its checksum is another one\n"]);
    assert.deepEqual(await withNamespace("untouched", contents), []);
  });

  test("a backup of another namespace is not restored", async () => {
    const file = join(folder, "configured.jsonl");
    await writeFile(file, encodeBackup({ binding: "CONFIG_KV", createdAt: "", entries: [] }));
    const { code, stderr } = await run("restore", ...local("untouched", file));
    assert.equal(code, 1);
    assert.match(stderr, /it is of CONFIG_KV, not of OAUTH_KV: say --binding CONFIG_KV/);
  });

  for (const [what, args, words] of [
    ["no file", [], /name one file/],
    ["two files", ["a", "b"], /name one file/],
    ["an option that is none", ["--everything", "a"], /See: npm run backup -- --help/],
    ["a place without --local", ["--persist-to", "x", "a"], /--persist-to goes with --local/],
    ["a configuration that is not there", ["--config", "absent.toml", "a"], /absent\.toml is not there/],
  ] as const) {
    test(what, () =>
      assert.rejects(
        readArguments(args, "backup"),
        (error) => error instanceof BackupProblem && words.test(error.message) && !error.message.includes("\n"),
      ),
    );
  }

  for (const [what, text, words] of [
    ["nothing at all", "", /no backup/],
    ["something else", `${randomBytes(40).toString("hex")}\n`, /no backup/],
    ["JSON of another kind", '{"a":1}\n', /no backup/],
    ["a later version", good.replace('"version":1', '"version":2'), /version 2/],
    ["the last line missing", good.split("\n").slice(0, -2).join("\n"), /cut off/],
    ["the last line break missing", good.trimEnd(), /cut off/],
    ["a line missing", good.split("\n").toSpliced(3, 1).join("\n"), /checksum/],
    [
      "a line twice",
      good
        .split("\n")
        .toSpliced(3, 0, good.split("\n")[3] ?? "")
        .join("\n"),
      /checksum/,
    ],
    ["a byte changed", good.replace("not-a-secret", "not-a-sevret"), /checksum/],
  ] as const) {
    test(`a backup with ${what}`, () => {
      assert.throws(
        () => decodeBackup(text),
        (error) => error instanceof BackupProblem && words.test(error.message),
      );
    });
  }
});

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
      writes.push([place, place === "bulk" ? JSON.parse(body.toString("utf8")) : body.includes(Buffer.from(BINARY))]);
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

test("BK-01: without --local it is the namespace at Cloudflare", async (t) => {
  const [first, ...others] = ENTRIES.filter(({ key }) => /^client|^bytes/.test(key));
  assert.ok(first);
  const api = await startApi([first, ...others]);
  t.after(api.close);
  const file = join(folder, "remote.jsonl");
  const backup = await runWith(api.env, "backup", file);
  assert.equal(backup.code, 0, backup.stderr);
  assert.match(backup.stdout, /^3 keys of OAUTH_KV, at Cloudflare/);
  const readable = (entries: readonly Entry[]) => entries.map((entry) => ({ ...entry, value: bytesOf(entry) }));
  const { entries } = decodeBackup(await readFile(file, "utf8"));
  assert.deepEqual(readable(entries), readable([first, ...others]));
  const restore = await runWith(api.env, "restore", file);
  assert.equal(restore.code, 0, restore.stderr);
  assert.deepEqual(api.writes, [
    ["bulk", [first, others[0]]],
    ["values/bytes", true],
  ]);
});
