import * as v from "valibot";
import { isLoopback } from "./core/loopback.ts";
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

/** What is wrong with a text is never told, only its name. */
const text = (passes: (value: string) => boolean) => v.pipe(v.string(), v.check(passes));

/** A value that still looks like the example is no secret; what is drawn at random does not look like this. */
const PLACEHOLDER =
  /^<[\w ().-]+>$|(^|[-_ ])your[-_ ]|(change|replace)[-_ ]?(me|with)|^insert[-_ ]|^todo([ :]|$)|^x+$|x{8}|placeholder/i;

/**
 * Nothing drawn at random has fewer different characters, or is one block repeated: only such a text stands in its own
 * double before the second half.
 */
const isVaried = (value: string) => new Set(value).size >= 8 && (value + value).indexOf(value, 1) === value.length;

/** AES-256 and HKDF keys are 32 bytes, written as 64 hexadecimal digits; nothing shorter is stretched. */
const KEY = text((value) => /^[0-9a-f]{64}$/i.test(value) && isVaried(value.toLowerCase()));
const SECRET = text(
  (value) => value.length >= 32 && isVaried(value) && !PLACEHOLDER.test(value) && !/example/i.test(value),
);
const CREDENTIAL = text((value) => value.length <= 512 && !PLACEHOLDER.test(value));
const NAME = text((value) => /^[a-z0-9][a-z0-9._/-]{0,127}$/i.test(value));

const isOrigin = (value: string) => URL.canParse(value) && new URL(value).origin === value;

/** An https origin without a path, or plain http on loopback for the simulators. */
const ORIGIN = text(
  (value) => isOrigin(value) && (value.startsWith("https:") || isLoopback(value.replace("http://", ""))),
);

const FLAG = v.optional(
  v.pipe(
    v.picklist(["true", "false"]),
    v.transform((value) => value === "true"),
  ),
  "false",
);

const LIST = v.pipe(
  v.string(),
  v.transform((value) => value.split(",").flatMap((item) => item.trim() || [])),
);

/** What a log of one level leaves out comes before it. */
export const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;

const VARIABLES = v.object({
  MICROSOFT_CLIENT_ID: CREDENTIAL,
  MICROSOFT_CLIENT_SECRET: CREDENTIAL,
  // A domain name would make the `tid` of an id_token incomparable, so it is refused.
  MICROSOFT_TENANT_ID: v.pipe(
    text((value) => /^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|organizations|common)$/.test(value)),
    v.toLowerCase(),
  ),
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
  CF_ACCESS_TEAM_DOMAIN: v.optional(text((value) => /^[a-z0-9-]+\.cloudflareaccess\.com$/.test(value))),
  CF_ACCESS_AUD: v.optional(v.pipe(LIST, v.minLength(1))),
  CF_ACCESS_SERVICE_TOKENS: v.optional(LIST, ""),
  CF_ACCESS_PROTECT: v.optional(v.picklist(["all", "browser"]), "all"),
  // Host and port as a URL would write them.
  WORKER_DOMAIN: v.optional(
    v.pipe(
      text((value) => /^[a-z0-9.-]+(:\d{1,5})?$/i.test(value) && URL.canParse(`http://${value}`)),
      v.toLowerCase(),
    ),
  ),
  PROTOCOL: v.optional(v.picklist(["https", "http"])),
  OPERATOR_TOKEN: v.optional(SECRET),
  ALLOWED_ORIGINS: v.optional(
    v.pipe(
      LIST,
      v.check((origins) => origins.every(isOrigin)),
    ),
    "",
  ),
  REQUIRE_AUTH_ON_INITIALIZE: FLAG,
  LOG_LEVEL: v.optional(v.picklist(LEVELS), "INFO"),
  DEBUG: FLAG,
});

/** Set both or neither. */
const PAIRS = [
  ["CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD"],
  ["WORKER_DOMAIN", "PROTOCOL"],
] as const;

/** Two keys that are equal would make a rotation, or a separation of purposes, a pretence. */
const DIFFERENT = [
  ["ENCRYPTION_KEY_PREVIOUS", "ENCRYPTION_KEY"],
  ["COOKIE_ENCRYPTION_KEY_PREVIOUS", "COOKIE_ENCRYPTION_KEY"],
  ["COOKIE_SECRET_PREVIOUS", "COOKIE_SECRET"],
  ["COOKIE_ENCRYPTION_KEY", "ENCRYPTION_KEY"],
] as const;

/** The variable to correct, of each rule that spans two and does not hold. */
function contradictions(config: Config): (keyof Config)[] {
  const isAbsent = (name: keyof Config) => config[name] === undefined;
  const missing = PAIRS.filter((pair) => !pair.every(isAbsent))
    .flat()
    .filter(isAbsent);
  const equal = DIFFERENT.filter(([name, other]) => config[name]?.toLowerCase() === config[other].toLowerCase());
  // Clear text is for loopback; elsewhere it would redirect to https for ever.
  const isExposed = config.PROTOCOL === "http" && !isLoopback(config.WORKER_DOMAIN ?? "");
  return [...missing, ...equal.map(([name]) => name), ...(isExposed ? ["PROTOCOL" as const] : [])];
}

export interface ConfigurationProblem {
  /** The names to correct; never their values. */
  readonly keys: readonly string[];
}

const known = new WeakMap<object, Result<Config, ConfigurationProblem>>();

/** Reads and checks the environment, once per isolate. An empty text counts as absent. */
export function readConfig(env: object): Result<Config, ConfigurationProblem> {
  const result = known.get(env) ?? checkConfig(env);
  known.set(env, result);
  return result;
}

function checkConfig(env: object): Result<Config, ConfigurationProblem> {
  // `[vars]` of wrangler.toml may hold true and 5 without quotes.
  const texts = Object.entries(env)
    .filter(([, value]) => /string|boolean|number/.test(typeof value) && String(value).trim())
    .map(([name, value]) => [name, String(value)]);
  const missing = ["MCP_OBJECT", "OAUTH_KV"].filter((name) => !(env as { [name: string]: unknown })[name]);
  const { success, output, issues } = v.safeParse(VARIABLES, Object.fromEntries(texts));
  const wrong = success ? contradictions(output) : issues.map(({ path }) => String(path?.[0].key));
  const keys = [...new Set([...missing, ...wrong])];
  return success && keys.length === 0 ? ok(output) : err({ keys });
}

/** The level a logger starts at, also when the rest of the configuration cannot be read. */
export function logLevel({ DEBUG, LOG_LEVEL }: Env): (typeof LEVELS)[number] {
  return String(DEBUG) === "true" ? "DEBUG" : (LEVELS.find((level) => level === LOG_LEVEL) ?? "INFO");
}
