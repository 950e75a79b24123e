// CF-01, CF-08: what is missing or wrong is named and never shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Config, type Env, logLevel, readConfig } from "../src/config.ts";
import { ENVIRONMENT, KEY_ONE, KEY_THREE, KEY_TWO } from "./environment.ts";

const BINDINGS = ["MCP_OBJECT", "OAUTH_KV"];
const SECRET = ENVIRONMENT.COOKIE_SECRET;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

type Changes = Readonly<Record<string, unknown>>;

function read(changes: Changes = {}) {
  return readConfig({ ...ENVIRONMENT, ...changes });
}

function wrongKeys(changes: Changes): readonly string[] {
  const config = read(changes);
  return config.ok ? [] : config.error.keys;
}

function value<Name extends keyof Config>(name: Name, changes: Changes = {}): Config[Name] {
  const config = read(changes);
  assert.ok(config.ok, JSON.stringify(config));
  return config.value[name];
}

for (const name of Object.keys(ENVIRONMENT)) {
  test(`CF-01: ${name} missing is named, and nothing else`, () =>
    assert.deepEqual(wrongKeys({ [name]: undefined }), [name]));
}

for (const name of Object.keys(ENVIRONMENT).filter((key) => !BINDINGS.includes(key))) {
  test(`CF-01: ${name} empty counts as missing`, () => assert.deepEqual(wrongKeys({ [name]: "" }), [name]));
  test(`CF-01: ${name} of blanks counts as missing`, () => assert.deepEqual(wrongKeys({ [name]: "  " }), [name]));
}

test("CF-01: everything that is wrong is named at once", () => {
  assert.deepEqual(
    [
      ...wrongKeys({ MCP_OBJECT: undefined, ENCRYPTION_KEY: "short", COOKIE_SECRET: undefined, PROTOCOL: "ftp" }),
    ].sort(),
    ["COOKIE_SECRET", "ENCRYPTION_KEY", "MCP_OBJECT", "PROTOCOL"],
  );
});

const MALFORMED: readonly (readonly [name: string, what: string, value: string])[] = [
  ["MICROSOFT_CLIENT_ID", "a placeholder", "<your client id>"],
  ["MICROSOFT_CLIENT_SECRET", "a placeholder", "your-client-secret"],
  ["MICROSOFT_CLIENT_SECRET", "far too long", "x1Y2".repeat(200)],
  ["MICROSOFT_CLIENT_ID", "the marker of wrangler.toml.example", "REPLACE_ME"],
  ["MICROSOFT_CLIENT_ID", "the form of an id without its digits", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"],
  ["MICROSOFT_CLIENT_SECRET", "the marker of wrangler.toml.example", "REPLACE_WITH_CLIENT_SECRET"],
  ["MICROSOFT_CLIENT_SECRET", "a note", "TODO"],
  ["MICROSOFT_CLIENT_SECRET", "x repeated", "xxxx"],
  ["MICROSOFT_TENANT_ID", "a domain name", "contoso.onmicrosoft.com"],
  ["MICROSOFT_TENANT_ID", "consumers", "consumers"],
  ["MICROSOFT_TENANT_ID", "a GUID with something after it", `${ENVIRONMENT.MICROSOFT_TENANT_ID}/x`],
  ["MICROSOFT_TENANT_ID", "a path", "../common"],
  ["ENCRYPTION_KEY", "of 32 characters", KEY_ONE.slice(32)],
  ["ENCRYPTION_KEY", "of 63 characters", KEY_ONE.slice(1)],
  ["ENCRYPTION_KEY", "of 65 characters", `${KEY_ONE}0`],
  ["ENCRYPTION_KEY", "not hexadecimal", `g${KEY_ONE.slice(1)}`],
  ["ENCRYPTION_KEY", "with a line break at the end", `${KEY_ONE}\n`],
  ["ENCRYPTION_KEY", "all zeros", "0".repeat(64)],
  ["ENCRYPTION_KEY", "one block four times", "0123456789abcdef".repeat(4)],
  ["ENCRYPTION_KEY", "one block twice, of either case", `${KEY_ONE.slice(32)}${KEY_ONE.slice(32).toUpperCase()}`],
  ["ENCRYPTION_KEY_PREVIOUS", "too short", "ab"],
  ["COOKIE_ENCRYPTION_KEY", "of 32 characters", KEY_TWO.slice(32)],
  ["COOKIE_ENCRYPTION_KEY", "one block four times", "deadbeef01234567".repeat(4)],
  ["COOKIE_ENCRYPTION_KEY_PREVIOUS", "not hexadecimal", "z".repeat(64)],
  ["COOKIE_SECRET", "of 31 characters", SECRET.slice(1)],
  ["COOKIE_SECRET", "one character repeated", "a".repeat(40)],
  ["COOKIE_SECRET", "a placeholder", "your-cookie-secret-of-32-characters-or-more"],
  ["COOKIE_SECRET", "meant to be changed", "Please_CHANGE_ME_before_you_deploy_0123"],
  ["COOKIE_SECRET", "the marker of wrangler.toml.example", "REPLACE_WITH_COOKIE_SECRET_32_CHARACTERS"],
  ["COOKIE_SECRET", "a note", "TODO set a real cookie secret here!!"],
  ["COOKIE_SECRET", "one block four times", "Kq3vT8zL".repeat(4)],
  ["COOKIE_SECRET_PREVIOUS", "too short", "abcdefgh"],
  ["OPERATOR_TOKEN", "a placeholder", "insert-operator-token-here-32-chars-x"],
  ["OPERATOR_TOKEN", "too short", "abcdefgh"],
  ["GRAPH_API_VERSION", "another version", "v2.0"],
  ["GRAPH_EGRESS_MODE", "direct", "direct"],
  ["AI_GATEWAY_ID", "with a blank", "my gateway"],
  ["AI_GATEWAY_ROUTE", "with a query", "dynamic/x?y"],
  ["MICROSOFT_AUTHORITY", "plain http off loopback", "http://login.microsoftonline.com"],
  ["MICROSOFT_AUTHORITY", "with a path", "https://login.microsoftonline.com/common"],
  ["MICROSOFT_AUTHORITY", "with a slash", "https://login.microsoftonline.com/"],
  ["MICROSOFT_AUTHORITY", "with user information", "https://a@login.microsoftonline.com"],
  ["MICROSOFT_AUTHORITY", "another scheme", "ftp://login.microsoftonline.com"],
  ["GRAPH_ORIGIN", "no URL", "graph.microsoft.com"],
  ["GRAPH_ORIGIN", "loopback by the look of it", "http://localhost.evil.example"],
  ["CF_ACCESS_PROTECT", "nothing", "nothing"],
  ["PROTOCOL", "ftp", "ftp"],
  ["LOG_LEVEL", "in lower case", "debug"],
  ["DEBUG", "yes", "yes"],
  ["REQUIRE_AUTH_ON_INITIALIZE", "1", "1"],
];

for (const [name, what, wrong] of MALFORMED) {
  test(`CF-01: ${name} ${what} is named`, () => assert.deepEqual(wrongKeys({ [name]: wrong }), [name]));
  test(`CF-01: ${name} ${what} is never shown`, () => {
    assert.equal(JSON.stringify(read({ [name]: wrong })).includes(JSON.stringify(wrong).slice(1, -1)), false);
  });
}

/** Whatever draws them: `npm run keys`, openssl, a password manager, Entra. */
const DRAWN: readonly (readonly [name: string, alphabet: string, length: number])[] = [
  ["ENCRYPTION_KEY", "0123456789abcdef", 64],
  ["COOKIE_ENCRYPTION_KEY", "0123456789ABCDEF", 64],
  ["COOKIE_SECRET", "0123456789abcdef", 64],
  ["COOKIE_SECRET", `${LETTERS}0123456789-_`, 32],
  ["COOKIE_SECRET", `${LETTERS}0123456789+/`, 32],
  ["OPERATOR_TOKEN", `${LETTERS}0123456789 !"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`, 32],
  ["MICROSOFT_CLIENT_SECRET", `${LETTERS}0123456789-_.~`, 40],
];

for (const [name, alphabet, length] of DRAWN) {
  test(`CF-08: ${name} of ${length} characters drawn out of ${alphabet} is never refused (property)`, () => {
    // Drawn evenly: fast-check's own texts are more alike than chance makes them.
    const index = fc.noBias(fc.nat(alphabet.length - 1));
    const drawn = fc
      .array(index, { minLength: length, maxLength: length })
      .map((indexes) => indexes.map((at) => alphabet[at]).join(""));
    fc.assert(
      fc.property(drawn, (text) => {
        assert.deepEqual(wrongKeys({ [name]: text }), []);
      }),
      { numRuns: 2000 },
    );
  });
}

test("CF-08: a long value is judged in no time", () => {
  const startedMs = performance.now();
  for (const text of ["x", "your", "your-".repeat(2), "ab", "todo ", "<a"])
    wrongKeys({ COOKIE_SECRET: text.repeat(2000) });
  assert.ok(performance.now() - startedMs < 500);
});

const PAIRED: readonly (readonly [given: string, value: string, missing: string])[] = [
  ["CF_ACCESS_TEAM_DOMAIN", "team.cloudflareaccess.com", "CF_ACCESS_AUD"],
  ["CF_ACCESS_AUD", "0123456789abcdef", "CF_ACCESS_TEAM_DOMAIN"],
  ["WORKER_DOMAIN", "mcp.example.com", "PROTOCOL"],
  ["PROTOCOL", "https", "WORKER_DOMAIN"],
];

for (const [given, text, missing] of PAIRED) {
  test(`D-20, D-09: ${given} without ${missing} is an error that names ${missing}`, () => {
    assert.deepEqual(wrongKeys({ [given]: text }), [missing]);
  });
}

test("D-20: Access is off when both variables are absent", () => assert.equal(value("CF_ACCESS_AUD"), undefined));

test("D-20: a list of commas is no audience", () => {
  const changes = { CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", CF_ACCESS_AUD: " , ," };
  assert.deepEqual(wrongKeys(changes), ["CF_ACCESS_AUD"]);
});

for (const domain of [
  "team.example.com",
  "cloudflareaccess.com",
  "a.b.cloudflareaccess.com.evil.example",
  "https://team.cloudflareaccess.com",
]) {
  test(`D-20: ${domain} is no team domain`, () => {
    assert.deepEqual(wrongKeys({ CF_ACCESS_TEAM_DOMAIN: domain, CF_ACCESS_AUD: "aud" }), ["CF_ACCESS_TEAM_DOMAIN"]);
  });
}

const EQUAL: readonly (readonly [name: string, changes: Changes])[] = [
  ["ENCRYPTION_KEY_PREVIOUS", { ENCRYPTION_KEY_PREVIOUS: KEY_ONE }],
  ["ENCRYPTION_KEY_PREVIOUS", { ENCRYPTION_KEY_PREVIOUS: KEY_ONE.toUpperCase() }],
  ["COOKIE_ENCRYPTION_KEY_PREVIOUS", { COOKIE_ENCRYPTION_KEY_PREVIOUS: KEY_TWO }],
  ["COOKIE_SECRET_PREVIOUS", { COOKIE_SECRET_PREVIOUS: SECRET }],
  ["COOKIE_ENCRYPTION_KEY", { COOKIE_ENCRYPTION_KEY: KEY_ONE }],
];

for (const [name, changes] of EQUAL) {
  test(`D-07: ${name} equal to the key it should differ from is named (${Object.values(changes)[0] === KEY_ONE.toUpperCase() ? "in capitals" : "to the letter"})`, () => {
    assert.deepEqual(wrongKeys(changes), [name]);
  });
}

for (const domain of [
  "mcp.example.com:99999",
  "256.256.256.256",
  "mcp.example.com/path",
  "https://mcp.example.com",
  "a b",
  "mcp.example.com:",
]) {
  test(`CF-08: WORKER_DOMAIN ${domain} is no host and is named, so that nothing crashes later`, () => {
    assert.deepEqual(wrongKeys({ WORKER_DOMAIN: domain, PROTOCOL: "https" }), ["WORKER_DOMAIN"]);
  });
}

// `REQUIRE_AUTH_ON_INITIALIZE = true` without quotes in wrangler.toml arrives as a boolean.
for (const name of ["REQUIRE_AUTH_ON_INITIALIZE", "DEBUG"] as const) {
  test(`CF-01: ${name} as a boolean of [vars] is read or named, never ignored`, () => {
    const config = read({ [name]: true });
    assert.ok(config.ok ? config.value[name] === true : config.error.keys.includes(name));
  });
}

test("CF-01: CF_ACCESS_AUD as a list of [vars] is read or named, never ignored", () => {
  const config = read({ CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", CF_ACCESS_AUD: ["aud"] });
  assert.ok(config.ok ? config.value.CF_ACCESS_AUD?.length === 1 : config.error.keys.includes("CF_ACCESS_AUD"));
});

test("CF-01: a good environment is read", () => assert.equal(read().ok, true));

test("CF-01: variables that are not ours are left alone", () => assert.equal(read({ SOMETHING: "else" }).ok, true));

const DEFAULTS = {
  GRAPH_API_VERSION: "v1.0",
  GRAPH_EGRESS_MODE: "ai-run",
  AI_GATEWAY_ID: "m365-egress-gateway",
  AI_GATEWAY_ROUTE: "dynamic/microsoft-graph-handler",
  MICROSOFT_AUTHORITY: "https://login.microsoftonline.com",
  GRAPH_ORIGIN: "https://graph.microsoft.com",
  CF_ACCESS_PROTECT: "all",
  LOG_LEVEL: "INFO",
  DEBUG: false,
  REQUIRE_AUTH_ON_INITIALIZE: false,
} as const;

for (const [name, expected] of Object.entries(DEFAULTS) as [keyof typeof DEFAULTS, unknown][]) {
  test(`CF-01: ${name} is ${expected} by default`, () => assert.equal(value(name), expected));
  test(`CF-01: ${name} empty is the default`, () => assert.equal(value(name, { [name]: "" }), expected));
}

test("EN-07: a tenant in capitals is the same tenant", () => {
  const tenant = ENVIRONMENT.MICROSOFT_TENANT_ID;
  assert.equal(value("MICROSOFT_TENANT_ID", { MICROSOFT_TENANT_ID: tenant.toUpperCase() }), tenant);
});

for (const tenant of ["organizations", "common"]) {
  test(`D-27: the tenant may be ${tenant}`, () => {
    assert.equal(value("MICROSOFT_TENANT_ID", { MICROSOFT_TENANT_ID: tenant }), tenant);
  });
}

for (const origin of ["http://localhost:9000", "http://127.0.0.1:9000", "https://login.microsoftonline.us"]) {
  test(`EN-09: the authority may be ${origin}`, () => {
    assert.equal(value("MICROSOFT_AUTHORITY", { MICROSOFT_AUTHORITY: origin }), origin);
  });
}

test("D-07: a previous key that differs is kept", () => {
  assert.equal(value("ENCRYPTION_KEY_PREVIOUS", { ENCRYPTION_KEY_PREVIOUS: KEY_THREE }), KEY_THREE);
});

test("D-24: a list is split at commas and blanks do not count", () => {
  const origins = "https://a.example, https://b.example ,,";
  assert.deepEqual(value("ALLOWED_ORIGINS", { ALLOWED_ORIGINS: origins }), ["https://a.example", "https://b.example"]);
});

test("D-09: the domain may have a port and is read in lower case", () => {
  const changes = { WORKER_DOMAIN: "MCP.example.com:8443", PROTOCOL: "https" };
  assert.equal(value("WORKER_DOMAIN", changes), "mcp.example.com:8443");
});

test("one environment is checked once", () => {
  const env = { ...ENVIRONMENT };
  assert.equal(readConfig(env), readConfig(env));
});

for (const [env, level] of [
  [{}, "INFO"],
  [{ LOG_LEVEL: "WARN" }, "WARN"],
  [{ LOG_LEVEL: "loud" }, "INFO"],
  [{ LOG_LEVEL: "ERROR", DEBUG: "true" }, "DEBUG"],
  [{ LOG_LEVEL: "ERROR", DEBUG: "false" }, "ERROR"],
] as const) {
  test(`LG-01: ${JSON.stringify(env)} logs from ${level}, also where the rest cannot be read`, () => {
    assert.equal(logLevel(env as unknown as Env), level);
  });
}
