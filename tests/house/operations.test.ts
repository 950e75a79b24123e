// What OPERATIONS.md and SECURITY.md tell an operator to set and to ask for, against the product.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isAccessRequired } from "../../src/access/perimeter.ts";
import { GRAPH_SCOPES } from "../../src/graph/scopes.ts";
import {
  ACCESS_LIFETIME_SECONDS,
  CODE_LIFETIME_SECONDS,
  FORM_LIFETIME_SECONDS,
  GRANT_LIFETIME_SECONDS,
  LOGIN_LIFETIME_SECONDS,
  REFRESH_IDLE_SECONDS,
} from "../../src/oauth/grant/grant.ts";
import { RESOURCES } from "../../src/resources/index.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { testConfig } from "../environment.ts";
import { exists, readText, rowsOf, sectionOf } from "./documents.ts";
import { AI_CALL } from "./effects.ts";
import { codeOf, readSources } from "./source.ts";

/** Names in backticks of the first column. */
function firstColumn(section: string): string[] {
  return rowsOf(section).flatMap(([cell = ""]) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name));
}

/** What has to be set, and of the rest what `src/config.ts` reads as a credential, a key or a secret. */
async function secretsOfSchema(): Promise<string[]> {
  const [, block = ""] = /const VARIABLES = v\.object\(\{([\s\S]*?)\n\}\);/.exec(await readText("src/config.ts")) ?? [];
  const entries = Array.from(block.matchAll(/^ {2}([A-Z0-9_]+): (.*)$/gm), ([, name = "", schema = ""]) => ({
    name,
    schema,
  }));
  const isSecret = /^(?!v\.optional|FLAG)|^v\.optional\((KEY|SECRET|CREDENTIAL)\)/;
  return entries
    .filter(({ schema }) => isSecret.test(schema))
    .map(({ name }) => name)
    .sort();
}

test("EN-08: the permissions of OPERATIONS.md are those asked from Entra", async () => {
  const named = firstColumn(sectionOf(await readText("OPERATIONS.md"), "### 1.2 Microsoft Entra"));
  const needed = GRAPH_SCOPES.filter((scope) => [...TOOLS, ...RESOURCES].some(({ scopes }) => scopes.includes(scope)));
  assert.deepEqual(named.sort(), ["openid", "profile", "offline_access", ...needed].sort());
});

for (const [document, heading] of [
  ["OPERATIONS.md", "### 1.3 Secrets"],
  ["SECURITY.md", "## Keys"],
] as const) {
  test(`DP-08, DC-02: the secrets of ${document} are those of the schema`, async () => {
    const secrets = await secretsOfSchema();
    assert.ok(secrets.length > 8, "the schema was not found in src/config.ts");
    assert.deepEqual(firstColumn(sectionOf(await readText(document), heading)).sort(), secrets);
  });
}

test("D-21, DC-02: the egress list of SECURITY.md names every file that sends something out", async () => {
  const listed = rowsOf(sectionOf(await readText("SECURITY.md"), "## Where the Worker connects to")).slice(1);
  const named = listed.flatMap(([, , cell = ""]) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name));
  // Whoever calls a function of the file with the one fetch of the house, asks the binding, or counts.
  const exported = (await readText("src/egress/fetch.ts")).matchAll(/^export (?:async )?function (fetch\w+)/gm);
  const names = Array.from(exported, ([, name = ""]) => name);
  assert.ok(names.length > 0);
  const calls = new RegExp(String.raw`\b(?:${names.join("|")}|writeDataPoint)\(|${AI_CALL.source}`, "i");
  const sends = [...(await readSources())].filter(
    ([path, text]) => path !== "egress/fetch.ts" && calls.test(codeOf(text)),
  );
  assert.deepEqual([...new Set(named)].sort(), sends.map(([path]) => `src/${path}`).sort());
});

test("D-46: the lives in SECURITY.md are those of the code", async () => {
  const rows = rowsOf(sectionOf(await readText("SECURITY.md"), "## Token life"));
  const lives = new Map(rows.map(([what = "", life = ""]) => [what, life]));
  assert.equal(lives.get("approval form, login"), `${FORM_LIFETIME_SECONDS / 60} minutes`);
  assert.equal(LOGIN_LIFETIME_SECONDS, FORM_LIFETIME_SECONDS);
  assert.equal(lives.get("authorization code"), `${CODE_LIFETIME_SECONDS} seconds`);
  assert.equal(lives.get("access token"), `${ACCESS_LIFETIME_SECONDS / 3600} hour`);
  assert.equal(lives.get("refresh token"), `${REFRESH_IDLE_SECONDS / 86_400} days unused`);
  assert.equal(lives.get("grant"), `${GRANT_LIFETIME_SECONDS / 86_400} days`);
});

test("AC-05: the paths that OPERATIONS.md puts behind Access are those that the Worker asks it for", async () => {
  const rows = rowsOf(sectionOf(await readText("OPERATIONS.md"), "## 2. Cloudflare Access")).slice(1);
  const access = { CF_ACCESS_TEAM_DOMAIN: "team.cloudflareaccess.com", CF_ACCESS_AUD: "aud" };
  const always = testConfig(access);
  const browser = testConfig({ ...access, CF_ACCESS_PROTECT: "browser" });
  assert.equal(rows.length, 4);
  for (const [paths = "", all, onlyBrowser] of rows) {
    for (const [, path = ""] of paths.matchAll(/`([^`]+)`/g)) {
      assert.equal(isAccessRequired(always, path) ? "yes" : "no", all, path);
      assert.equal(isAccessRequired(browser, path) ? "yes" : "no", onlyBrowser, path);
    }
  }
});

test("DP-01: the guide sets every required secret, and no other command sets what is none", async () => {
  const guide = sectionOf(await readText("OPERATIONS.md"), "### 1.3 Secrets");
  const set = Array.from(guide.matchAll(/^npx wrangler secret put (\w+)/gm), ([, name = ""]) => name);
  const secrets = await secretsOfSchema();
  const required = secrets.filter((name) => !/_PREVIOUS$|^(OPERATOR|AI_GATEWAY)/.test(name));
  assert.deepEqual(
    required.filter((name) => !set.includes(name)),
    [],
  );
  assert.deepEqual(
    set.filter((name) => !secrets.includes(name)),
    [],
  );
});

test("DP-02: OPERATIONS.md has a section for everything that has to be done", async () => {
  const titles = Array.from((await readText("OPERATIONS.md")).matchAll(/^##+ (.+)$/gm), ([, title = ""]) => title);
  const wanted = [
    ...[
      "Deploy",
      "Cloudflare",
      "Microsoft Entra",
      "Secrets",
      "Cloudflare Access",
      "Portals",
      "The gateway",
      "smoke test",
    ],
    ...[
      "Custom domain",
      "Roll out",
      "Validate",
      "Logs",
      "Targets",
      "alerts",
      "Logpush",
      "Rotate",
      "Back up",
      "Incidents",
    ],
    ...["Maintenance", "Troubleshooting", "On your machine"],
  ];
  assert.deepEqual(
    wanted.filter((words) => !titles.some((title) => title.includes(words))),
    [],
  );
});

test("DP-04: the WAF exception of OPERATIONS.md covers what programs call", async () => {
  const section = sectionOf(await readText("OPERATIONS.md"), "## 5. Custom domain and WAF");
  const paths = ["/sse", "/mcp", "/token", "/register", "/callback"].filter((path) => !section.includes(`"${path}"`));
  assert.deepEqual(paths, []);
  assert.ok(section.includes('"/.well-known/"'));
});

test("DP-07: the troubleshooting table has the words that answers use", async () => {
  const section = sectionOf(await readText("OPERATIONS.md"), "## 13. Troubleshooting");
  const types = await failureTypes();
  const words = ["401", "403", "429", "503", "421", "426", "insufficient_scope", "configuration_error", "POST"];
  assert.deepEqual(
    words.filter((word) => !section.includes(word)),
    [],
  );
  // A tool's own mistakes (bad request, not found, conflict, too large) say in words what to do.
  const spoken = /^graph_(bad_request|unauthorized|not_found|conflict|too_large)$|^response_too_large$/;
  assert.deepEqual(
    types.filter((type) => !spoken.test(type) && !section.includes(type)),
    [],
  );
});

test("DP-07: what the troubleshooting table quotes, a text or a code, is in the product", async () => {
  const rows = rowsOf(sectionOf(await readText("OPERATIONS.md"), "## 13. Troubleshooting")).slice(1);
  const seen = rows.map(([cell = ""]) => cell).join("\n");
  const codes = Array.from(seen.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g), ([, code = ""]) => code);
  const texts = Array.from(seen.replace(/`[^`]*`/g, "").matchAll(/"([^"]+)"/g), ([, text = ""]) => text);
  assert.ok(codes.length > 10 && texts.length > 4, `${codes.length} codes, ${texts.length} texts`);
  const product = [...(await readSources()).values()].join("\n");
  assert.deepEqual(
    [...codes, ...texts].filter((quoted) => !product.includes(quoted)),
    [],
  );
});

async function failureTypes(): Promise<string[]> {
  const [, union = ""] = /export type FailureType =([\s\S]*?);/.exec(await readText("src/graph/failure.ts")) ?? [];
  const types = Array.from(union.matchAll(/"(\w+)"/g), ([, type = ""]) => type);
  assert.ok(types.length > 10, "the union was not found in src/graph/failure.ts");
  return types;
}

test("LG-03, LG-06: every message that OPERATIONS.md alerts on or searches for is one that is logged", async () => {
  const section = sectionOf(await readText("OPERATIONS.md"), "## 8. Logs, dashboards, alerts");
  const events = await readText("src/observe/events.ts");
  const quoted = Array.from(section.matchAll(/message == "([^"]+)"/g), ([, message = ""]) => message);
  const named = Array.from(
    section.matchAll(/`((?:OAuth|Authentication) [^`]+|unexpected fault|configuration error)`/g),
  );
  const messages = [...quoted, ...named.map(([, message = ""]) => message)];
  assert.ok(messages.length > 10);
  assert.deepEqual(
    messages.filter((message) => !events.includes(`"${message}"`)),
    [],
  );
});

test("LG-06: every code that OPERATIONS.md alerts on is written somewhere", async () => {
  const section = sectionOf(await readText("OPERATIONS.md"), "### 8.3 Dashboard and alerts");
  const codes = [
    ...["code_replayed", "refresh_reused", "operator_token_wrong", "access_identity_mismatch"],
    ...["gateway_unavailable", "gateway_policy"],
  ];
  const sources = await Promise.all(
    ["src/oauth/grant/grant.ts", "src/oauth/operator.ts", "src/agent/access.ts", "src/graph/failure.ts"].map(readText),
  );
  for (const code of codes) {
    assert.ok(section.includes(`\`${code}\``), code);
    assert.ok(sources.join("").includes(`"${code}"`), code);
  }
});

/** What an operator must be able to read: headings, and words whose loss no other test would notice. */
const SAID: readonly (readonly [row: string, document: string, heading: string, first: string, ...rest: string[]])[] = [
  ["EN-08: consent", "OPERATIONS.md", "### 1.2 Microsoft Entra", "Plan for an administrator", '"Grant admin consent"'],
  ["AC-05: bypass", "OPERATIONS.md", "## 2. Cloudflare Access", "**Bypass**", "`CF_ACCESS_PROTECT=browser`"],
  ["AC-06", "OPERATIONS.md", "### 2.2 Portals and linked applications", "MCP server portal", "linked app token"],
  ["AC-08", "OPERATIONS.md", "### 2.1 What the assertion says, and what it does not", "Device posture", "get-identity"],
  [
    "GW-09",
    "OPERATIONS.md",
    "## 3. The gateway",
    "custom providers for any HTTPS API",
    "we do not expect it to reach Graph",
  ],
  ["RL-01", "OPERATIONS.md", "## 4. Limits", "Rate limiting rules", "600 requests in one minute", 'method eq "POST"'],
  ["BK-02", "OPERATIONS.md", "## 10. Back up and restore", "Grants cannot be backed up", "people sign in again"],
  [
    "BK-02: what was lost",
    "OPERATIONS.md",
    "## 10. Back up and restore",
    "| `OAUTH_KV` ",
    "| the objects",
    "| the gateway",
  ],
  [
    "DP-06: stop it",
    "OPERATIONS.md",
    "## 11. Incidents",
    "**Revoke everything**",
    "secret put ENCRYPTION_KEY",
    "evidence",
  ],
  ["DP-06", "OPERATIONS.md", "## 12. Maintenance", "| daily", "| weekly", "| monthly", "| quarterly", "| yearly"],
  [
    "LD-03",
    "OPERATIONS.md",
    "## 14. On your machine",
    "npx wrangler dev --local",
    "With the AI binding it needs an account",
  ],
  ["LD-04", "OPERATIONS.md", "## 14. On your machine", "`.wrangler/state`", "wrangler kv key list", "`npm run clean`"],
  ["HL-03", "wrangler.toml.example", "", "`GET /health?deep=1`", "# [triggers]\n# crons = ["],
  [
    "LG-05",
    "wrangler.toml.example",
    "",
    "# [[analytics_engine_datasets]]\n# binding",
    "# [[env.production.analytics_engine",
  ],
];

const flat = (words: string) => words.replace(/\s+/g, " ");

for (const [row, document, heading, first, ...rest] of SAID) {
  test(`${row}: ${document} still says '${flat(first)}'${heading && `, under "${heading}"`}`, async () => {
    const text = await readText(document);
    const section = flat(heading === "" ? text : sectionOf(text, heading));
    assert.deepEqual(
      [first, ...rest].filter((phrase) => !section.includes(flat(phrase))),
      [],
    );
  });
}

test("DC-05: the files that a stranger looks for are there", async () => {
  const wanted = ["CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "OPERATIONS.md", "TECHNICAL.md"];
  const there = await Promise.all(wanted.map(exists));
  assert.deepEqual(
    wanted.filter((_, index) => !there[index]),
    [],
  );
  assert.match(await readText("LICENSE"), /^MIT License/);
});
