// BK-01: round trips through the namespaces that `wrangler dev` keeps on this machine, and what is refused.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Miniflare } from "miniflare";
import { readArguments } from "../../fixtures/backup/arguments.ts";
import { BackupProblem, decodeBackup, type Entry, encodeBackup } from "../../fixtures/backup/file.ts";
import { openWorkplace, type Workplace } from "../support/backup.ts";

let workplace: Workplace;
before(async () => {
  workplace = await openWorkplace();
});
after(() => workplace.close());

type KVNamespace = Awaited<ReturnType<Miniflare["getKVNamespace"]>>;

const inFolder = (name: string) => join(workplace.folder, name);
const CHOICE = ["--binding", "CONFIG_KV", "--env", "production"];
const local = (state: string, file: string) => [...CHOICE, "--local", "--persist-to", inFolder(state), file];

/** A namespace where wrangler looks for it, named by the id of the example. */
async function withNamespace<Value>(
  state: string,
  use: (kv: KVNamespace) => Promise<Value>,
  id = "REPLACE_WITH_CONFIG_KV_ID",
): Promise<Value> {
  const mf = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    defaultPersistRoot: join(inFolder(state), "v3"),
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
  await withNamespace(
    "from",
    (kv) => fill(kv, [{ key: "of another namespace", value: "" }]),
    "REPLACE_WITH_OAUTH_KV_ID",
  );
  const file = inFolder("round.jsonl");
  const backup = await workplace.run("backup", local("from", file));
  assert.equal(backup.code, 0, backup.stderr);
  assert.match(backup.stdout, /^124 keys of CONFIG_KV of production, on this machine: written to /);
  assert.match(backup.stdout, /secrets are in it as hashes/);
  assert.match(backup.stdout, /Grants live in Durable Objects and are not in any backup/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);

  // A restore that was cut short left this one, and somebody registered since.
  const later = { key: "client:later", value: "{}" };
  await withNamespace("to", (kv) => fill(kv, [{ key: "bytes", value: "half" }, later]));
  const restore = await workplace.run("restore", local("to", file));
  assert.equal(restore.code, 0, restore.stderr);
  assert.match(restore.stdout, /^124 of 124 keys written: CONFIG_KV of production, on this machine\./);
  await withNamespace("from", (kv) => fill(kv, [later]));
  assert.deepEqual(await withNamespace("to", contents), await withNamespace("from", contents));
  assert.ok(!(await readFile(file, "utf8")).includes("of another namespace"));
});

describe("BK-01: refused in one line, exit 1, nothing written:", () => {
  const good = encodeBackup({ binding: "CONFIG_KV", createdAt: "", entries: ENTRIES });

  test("a file that exists is not overwritten", async () => {
    const file = inFolder("precious");
    await writeFile(file, "precious");
    const { code, stderr } = await workplace.run("backup", local("from", file));
    assert.deepEqual([code, await readFile(file, "utf8")], [1, "precious"]);
    assert.match(stderr, /^No backup was made: .*precious exists and is kept: name another file\n$/);
  });

  test("a backup that fails leaves no file", async () => {
    const file = inFolder("never");
    const { code, stderr } = await workplace.run("backup", [...local("from", file), "--binding", "NO_SUCH_KV"]);
    assert.equal(code, 1);
    assert.match(stderr, /NO_SUCH_KV/);
    await assert.rejects(stat(file));
  });

  test("a file that is cut or altered is not restored", async () => {
    const file = inFolder("altered.jsonl");
    await writeFile(file, good.replace("user:h", "user:g"));
    const { code, stderr } = await workplace.run("restore", local("untouched", file));
    assert.deepEqual([code, stderr], [1, "Nothing more was restored: it was altered: its checksum is another one\n"]);
  });

  test("a backup of another namespace is not restored", async () => {
    const file = inFolder("configured.jsonl");
    await writeFile(file, encodeBackup({ binding: "OAUTH_KV", createdAt: "", entries: [] }));
    const { code, stderr } = await workplace.run("restore", local("untouched", file));
    assert.equal(code, 1);
    assert.match(stderr, /it is of OAUTH_KV, not of CONFIG_KV: say --binding OAUTH_KV/);
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
    ["something else", `${"0123456789abcdef".repeat(5)}\n`, /no backup/],
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
