// Section 16 of the requirements: the examples, against the schema and against wrangler's own reading of them.
import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { unstable_readConfig as readWrangler } from "wrangler";
import { type Config, type Env, readConfig } from "../../src/config.ts";
import { ENVIRONMENT } from "../environment.ts";
import { ROOT } from "./source.ts";

const readText = (path: string) => readFile(join(ROOT, path), "utf8");
const toml = await readText("wrangler.toml.example");
const devVars = await readText(".dev.vars.example");

/** Every variable of the schema, in its order. */
const NAMES = await (async () => {
  const [, block = ""] = /const VARIABLES = v\.object\(\{([\s\S]*?)\n\}\);/.exec(await readText("src/config.ts")) ?? [];
  return Array.from(block.matchAll(/^ {2}([A-Z0-9_]+):/gm), ([, name]) => name ?? "");
})();

interface Limiter {
  readonly name: string;
  readonly simple: { readonly limit: number; readonly period: number };
}

/** What wrangler makes of the copied example. */
async function readExample(environment: string | undefined) {
  const folder = await mkdtemp(join(tmpdir(), "m365-toml-"));
  try {
    const config = join(folder, "wrangler.toml");
    await copyFile(join(ROOT, "wrangler.toml.example"), config);
    return readWrangler({ config, ...(environment !== undefined && { env: environment }) }, { hideWarnings: true });
  } finally {
    await rm(folder, { recursive: true });
  }
}

const [plain, production] = await Promise.all([readExample(undefined), readExample("production")]);

const wrongKeys = (changes: Readonly<Record<string, string | undefined>>) => {
  const config = readConfig({ ...ENVIRONMENT, ...changes });
  return config.ok ? [] : config.error.keys;
};

/** Wrong for everything that has a form: no key, no id, no address, no choice, and by its look a placeholder. */
const wrongFor = (name: string) => (name === "CF_ACCESS_AUD" ? " , " : `<your ${name.toLowerCase()}>`);

/** A list of names that Cloudflare gives, of any form. */
const FREE = ["CF_ACCESS_SERVICE_TOKENS"];

for (const name of NAMES.filter((name) => !FREE.includes(name))) {
  test(`CF-01: ${name} as a placeholder is named, and it alone`, () => {
    assert.deepEqual(wrongKeys({ [name]: wrongFor(name) }), [name]);
  });
}

test("CF-01: all of them wrong are all named at once, and none is shown", () => {
  const names = NAMES.filter((name) => !FREE.includes(name));
  const config = readConfig({ ...ENVIRONMENT, ...Object.fromEntries(names.map((name) => [name, wrongFor(name)])) });
  assert.ok(!config.ok);
  assert.deepEqual([...config.error.keys].sort(), [...names].sort());
  assert.doesNotMatch(JSON.stringify(config), /<your/);
});

/** A type test: the compiler refuses this where `Env` lacks a variable, or has other bindings than these. */
const BINDINGS: { readonly [Name in Exclude<keyof Env, keyof Pick<Env, keyof Config>>]: true } = {
  AI: true,
  CACHE_KV: true,
  CF_VERSION_METADATA: true,
  CONFIG_KV: true,
  LIMIT_APPROVE: true,
  LIMIT_AUTHORIZE: true,
  LIMIT_CALLS: true,
  LIMIT_REGISTER: true,
  LIMIT_REVOKE: true,
  LIMIT_TOKEN: true,
  MCP_OBJECT: true,
  METRICS: true,
  OAUTH_KV: true,
};

test("CF-02: Env has every binding of wrangler.toml.example, those in comments too, and no other", () => {
  const bound = Array.from(toml.matchAll(/^(?:# )?(?:binding|name) = "([A-Z_]+)"$/gm), ([, name]) => name ?? "");
  assert.deepEqual([...new Set(bound)].sort(), Object.keys(BINDINGS).sort());
});

test("CF-06: .dev.vars.example names every variable of the schema once, and no other", () => {
  const named = Array.from(devVars.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm), ([, name]) => name ?? "");
  assert.deepEqual([...named].sort(), [...NAMES].sort());
});

test("CF-06: what .dev.vars.example sets is required and empty; what it shows as a comment is a default or would pass", () => {
  const lines = devVars.matchAll(/^(# )?([A-Z][A-Z0-9_]*)=(.*)$/gm);
  for (const [, mark, name = "", value = ""] of lines) {
    if (mark === undefined) assert.deepEqual([value, wrongKeys({ [name]: undefined })], ["", [name]]);
    else if (value !== "") assert.ok(!wrongKeys({ [name]: value }).includes(name), `${name}=${value}`);
  }
});

for (const [name, config] of [
  ["default", plain],
  ["production", production],
] as const) {
  test(`CF-04, ${name}: date, flag, class, gateway, version and observability`, () => {
    assert.equal(config.compatibility_date, "2026-04-21");
    assert.deepEqual(config.compatibility_flags, ["global_fetch_strictly_public"]);
    assert.deepEqual(config.durable_objects.bindings, [{ name: "MCP_OBJECT", class_name: "MicrosoftMCPAgent" }]);
    assert.deepEqual(config.migrations, [{ tag: "v1", new_sqlite_classes: ["MicrosoftMCPAgent"] }]);
    assert.equal(config.ai?.binding, "AI");
    assert.equal(config.version_metadata?.binding, "CF_VERSION_METADATA");
    assert.deepEqual([config.observability?.enabled, config.observability?.head_sampling_rate], [true, 1]);
  });

  test(`CF-04, ${name}: the three namespaces, and the limiters of RL-01`, () => {
    assert.deepEqual(
      config.kv_namespaces.map(({ binding }: { binding: string }) => binding),
      ["OAUTH_KV", "CONFIG_KV", "CACHE_KV"],
    );
    assert.deepEqual(
      config.ratelimits.map(({ name, simple }: Limiter) => [name, simple.limit, simple.period]),
      [
        ["LIMIT_REGISTER", 30, 60],
        ["LIMIT_AUTHORIZE", 60, 60],
        ["LIMIT_APPROVE", 30, 60],
        ["LIMIT_TOKEN", 600, 60],
        ["LIMIT_REVOKE", 120, 60],
        ["LIMIT_CALLS", 1200, 60],
      ],
    );
  });

  test(`CF-03, ${name}: what [vars] sets is a variable of the schema, passes, and is none of the secrets`, () => {
    const names = Object.keys(config.vars);
    assert.ok(names.length > 0);
    assert.deepEqual(
      names.filter((variable) => !NAMES.includes(variable) || /SECRET|KEY|TOKEN|^MICROSOFT_/.test(variable)),
      [],
    );
    assert.deepEqual(
      wrongKeys(Object.fromEntries(names.map((variable) => [variable, String(config.vars[variable])]))),
      [],
    );
  });
}

test("CF-04: production is on no workers.dev address and has no previews", () => {
  assert.deepEqual([production.workers_dev, production.preview_urls], [false, false]);
});

test("CF-04: the two environments share no counter of a limiter", () => {
  const ids = [...plain.ratelimits, ...production.ratelimits].map(({ namespace_id }) => namespace_id);
  assert.equal(new Set(ids).size, ids.length);
});

test("CF-05: both forms of a custom domain are shown as comments, for both environments", () => {
  const [first = "", second = ""] = toml.split("\n[env.production]\n");
  for (const part of [first, second]) {
    assert.match(part, /^# routes = \[\{ pattern = "[^"]+", custom_domain = true \}\]$/m);
    assert.match(part, /^# routes = \[\{ pattern = "[^"]+\/\*", zone_name = "[^"]+" \}\]$/m);
  }
});

test("CF-07: account_id is a comment with a placeholder", () => {
  assert.match(toml, /^# account_id = "<[^"]+>"$/m);
  assert.equal(plain.account_id, undefined);
});

test("CF-03: neither example has an id or a key of anybody's", () => {
  for (const text of [toml, devVars]) assert.doesNotMatch(text, /\b[0-9a-f]{32,}\b|[0-9a-f]{8}-[0-9a-f]{4}-/i);
});

test("DP-08: every required secret is named at the head of wrangler.toml.example", () => {
  const required = NAMES.filter((name) => wrongKeys({ [name]: undefined }).length > 0);
  assert.equal(required.length, 6);
  const [head = ""] = toml.split("\nname = ");
  assert.deepEqual(
    required.filter((name) => !head.includes(name)),
    [],
  );
});
