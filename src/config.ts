import * as v from "valibot";
import { err, ok, type Result } from "./core/result.ts";

/** What the environment of the Worker may hold. Text values come from secrets or `[vars]` alike. */
export interface Env extends Variables {
  readonly MCP_OBJECT: DurableObjectNamespace;
  readonly OAUTH_KV: KVNamespace;
  /** Without it tools answer `egress_unconfigured`; everything else works. */
  readonly AI?: Ai;
  readonly CONFIG_KV?: KVNamespace;
  readonly CACHE_KV?: KVNamespace;
  readonly METRICS?: AnalyticsEngineDataset;
  readonly CF_VERSION_METADATA?: WorkerVersionMetadata;
  readonly LIMIT_REGISTER?: RateLimit;
  readonly LIMIT_AUTHORIZE?: RateLimit;
  readonly LIMIT_APPROVE?: RateLimit;
  readonly LIMIT_TOKEN?: RateLimit;
  readonly LIMIT_REVOKE?: RateLimit;
  readonly LIMIT_CALLS?: RateLimit;
}

type Variables = { readonly [Name in keyof typeof VARIABLES.entries]?: string };

/** Everything read from the environment, checked. */
export type Config = v.InferOutput<typeof VARIABLES>;

/** AES-256 and HKDF keys are 32 bytes, written as 64 hexadecimal digits; nothing shorter is stretched. */
const KEY = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{64}$/),
  v.check((text) => new Set(text.toLowerCase()).size >= 8),
);

/** 32 characters; a value that still looks like the example is no secret. */
const SECRET = v.pipe(
  v.string(),
  v.minLength(32),
  v.check((text) => new Set(text).size >= 8 && !/your[-_ ]|change[-_ ]?me|placeholder|example/i.test(text)),
);

const CREDENTIAL = v.pipe(
  v.string(),
  v.maxLength(512),
  v.check((text) => !/^<|your[-_ ]|change[-_ ]?me|placeholder/i.test(text)),
);

/** A directory (tenant) id. A domain name would make the `tid` of an id_token incomparable, so it is refused. */
const TENANT = v.union([
  v.pipe(v.string(), v.regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/), v.toLowerCase()),
  v.picklist(["organizations", "common"]),
]);

/** An https origin without a path, or plain http on loopback for the simulators. */
const ORIGIN = v.pipe(
  v.string(),
  v.check((text) => URL.canParse(text) && new URL(text).origin === text && isSafeScheme(new URL(text))),
);

function isLoopbackHost(host = ""): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:|$)/.test(host);
}

function isSafeScheme(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopbackHost(url.hostname));
}

/** Host and port as a URL would write them. */
function isHost(text: string): boolean {
  return /^[A-Za-z0-9.-]+(:\d{1,5})?$/.test(text) && URL.canParse(`http://${text}`);
}

const FLAG = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((text) => text === "true"),
);

const LIST = v.pipe(
  v.string(),
  v.transform((text) =>
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  ),
);

const NAME = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$/));

const VARIABLES = v.object({
  MICROSOFT_CLIENT_ID: CREDENTIAL,
  MICROSOFT_CLIENT_SECRET: CREDENTIAL,
  MICROSOFT_TENANT_ID: TENANT,
  ENCRYPTION_KEY: KEY,
  ENCRYPTION_KEY_PREVIOUS: v.optional(KEY),
  COOKIE_ENCRYPTION_KEY: KEY,
  COOKIE_ENCRYPTION_KEY_PREVIOUS: v.optional(KEY),
  COOKIE_SECRET: SECRET,
  COOKIE_SECRET_PREVIOUS: v.optional(SECRET),
  GRAPH_API_VERSION: v.optional(v.picklist(["v1.0", "beta"]), "v1.0"),
  AI_GATEWAY_ID: v.optional(NAME, "m365-egress-gateway"),
  AI_GATEWAY_ROUTE: v.optional(NAME, "dynamic/microsoft-graph-handler"),
  AI_GATEWAY_SERVICE_TOKEN: v.optional(CREDENTIAL),
  AI_GATEWAY_PROVIDER: v.optional(NAME, "custom-microsoft-graph"),
  GRAPH_EGRESS_MODE: v.optional(v.picklist(["ai-run", "custom-provider"]), "ai-run"),
  MICROSOFT_AUTHORITY: v.optional(ORIGIN, "https://login.microsoftonline.com"),
  GRAPH_ORIGIN: v.optional(ORIGIN, "https://graph.microsoft.com"),
  CF_ACCESS_TEAM_DOMAIN: v.optional(v.pipe(v.string(), v.regex(/^[a-z0-9-]+\.cloudflareaccess\.com$/))),
  CF_ACCESS_AUD: v.optional(v.pipe(LIST, v.minLength(1))),
  CF_ACCESS_SERVICE_TOKENS: v.optional(LIST, ""),
  CF_ACCESS_PROTECT: v.optional(v.picklist(["all", "browser"]), "all"),
  WORKER_DOMAIN: v.optional(v.pipe(v.string(), v.check(isHost), v.toLowerCase())),
  PROTOCOL: v.optional(v.picklist(["https", "http"])),
  OPERATOR_TOKEN: v.optional(SECRET),
  ALLOWED_ORIGINS: v.optional(
    v.pipe(
      LIST,
      v.everyItem((text) => URL.canParse(text) && new URL(text).origin === text),
    ),
    "",
  ),
  REQUIRE_AUTH_ON_INITIALIZE: v.optional(FLAG, "false"),
  LOG_LEVEL: v.optional(v.picklist(["DEBUG", "INFO", "WARN", "ERROR"]), "INFO"),
  DEBUG: v.optional(FLAG, "false"),
});

/** Rules that span two variables; each names the one to correct. */
const RULES: readonly { readonly key: keyof Config; readonly holds: (config: Config) => boolean }[] = [
  together("CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"),
  together("CF_ACCESS_AUD", "CF_ACCESS_TEAM_DOMAIN"),
  together("WORKER_DOMAIN", "PROTOCOL"),
  together("PROTOCOL", "WORKER_DOMAIN"),
  // Clear text is for loopback; elsewhere it would redirect to https for ever.
  { key: "PROTOCOL", holds: ({ PROTOCOL, WORKER_DOMAIN }) => PROTOCOL !== "http" || isLoopbackHost(WORKER_DOMAIN) },
  differs("ENCRYPTION_KEY_PREVIOUS", "ENCRYPTION_KEY"),
  differs("COOKIE_ENCRYPTION_KEY_PREVIOUS", "COOKIE_ENCRYPTION_KEY"),
  differs("COOKIE_SECRET_PREVIOUS", "COOKIE_SECRET"),
  differs("COOKIE_ENCRYPTION_KEY", "ENCRYPTION_KEY"),
];

/** `key` must be set when `given` is. */
function together(key: keyof Config, given: keyof Config) {
  return { key, holds: (config: Config) => config[given] === undefined || config[key] !== undefined };
}

/** Two keys that are equal would make a rotation, or a separation of purposes, a pretence. */
function differs(key: keyof Config, other: keyof Config) {
  const text = (value: Config[keyof Config]) => String(value).toLowerCase();
  return { key, holds: (config: Config) => config[key] === undefined || text(config[key]) !== text(config[other]) };
}

export interface ConfigurationProblem {
  /** The names to correct; never their values. */
  readonly keys: readonly string[];
}

const known = new WeakMap<object, Result<Config, ConfigurationProblem>>();

/** Reads and checks the environment, once per isolate. An empty text counts as absent. */
export function readConfig(env: object): Result<Config, ConfigurationProblem> {
  let result = known.get(env);
  if (result === undefined) {
    result = checkConfig(env);
    known.set(env, result);
  }
  return result;
}

function checkConfig(env: object): Result<Config, ConfigurationProblem> {
  const values = new Map<string, unknown>(Object.entries(env));
  // `[vars]` of wrangler.toml may hold true and 5 without quotes.
  const texts = Object.fromEntries(
    [...values]
      .filter(([, value]) => ["string", "boolean", "number"].includes(typeof value) && String(value).trim() !== "")
      .map(([name, value]) => [name, String(value)]),
  );
  const missing = ["MCP_OBJECT", "OAUTH_KV"].filter((binding) => values.get(binding) === undefined);
  const read = v.safeParse(VARIABLES, texts);
  const wrong = read.success
    ? RULES.filter((rule) => !rule.holds(read.output)).map((rule) => rule.key)
    : read.issues.map((issue) => v.getDotPath(issue)?.split(".")[0] ?? "environment");
  const keys = [...new Set([...missing, ...wrong])];
  return read.success && keys.length === 0 ? ok(read.output) : err({ keys });
}

/** The level a logger starts at, also when the rest of the configuration cannot be read. */
export function logLevel(env: Env): "DEBUG" | "INFO" | "WARN" | "ERROR" {
  if (String(env.DEBUG) === "true") return "DEBUG";
  const level = env.LOG_LEVEL;
  return level === "DEBUG" || level === "WARN" || level === "ERROR" ? level : "INFO";
}
