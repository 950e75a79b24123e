import { codeOf, importsOf, lineOf, type Sources, withoutComments } from "./source.ts";

interface Effect {
  readonly name: string;
  readonly pattern: RegExp;
  /** Folders, or files where only one may. */
  readonly allowed: readonly string[];
}

/** A global by its bare name or through one of its three doors. */
function global(name: string): string {
  return String.raw`(?:(?<![.\w$#])|(?:globalThis|self|window)\s*\.\s*)${name}\b`;
}

/** Whatever is asked of the AI binding, however it is written; to hand it on is no effect. */
export const AI_CALL = /\bai\s*(\?\.|\.|\[)/i;

const LEDGER: readonly Effect[] = [
  // A method called fetch is declared in worker.ts; a name before a colon is a member, not the function.
  { name: "fetch", pattern: new RegExp(String.raw`(?<!async )${global("fetch")}(?!\s*:)`), allowed: ["egress/"] },
  { name: "a socket", pattern: new RegExp(`new ${global("(WebSocket|EventSource)")}`), allowed: ["egress/"] },
  { name: "the AI binding's calls", pattern: AI_CALL, allowed: ["egress/"] },
  // The fetch of a binding: the grant's object is asked for a stream by it.
  {
    name: "somebody's fetch",
    pattern: /(?<!\b(?:globalThis|self|window)\s*)\.\s*fetch\b/,
    allowed: ["egress/", "endpoints/mcp.ts"],
  },
  { name: "a data point", pattern: /\bwriteDataPoint\b/, allowed: ["agent/call-log.ts"] },
  { name: "Date.now", pattern: /\bDate\s*\.\s*now\b/, allowed: ["worker.ts", "agent/"] },
  { name: "new Date without a time", pattern: /\bnew Date\b(?!\s*\(\s*[^\s)])/, allowed: ["worker.ts", "agent/"] },
  { name: "Date called as a function", pattern: /(?<!new )(?<![.\w$])Date\s*\(/, allowed: [] },
  { name: "performance", pattern: new RegExp(global("performance")), allowed: ["worker.ts", "agent/"] },
  { name: "randomness", pattern: /\b(getRandomValues|randomUUID)\b/, allowed: ["crypto/random.ts"] },
  { name: "a key drawn", pattern: /\bgenerateKey\b/, allowed: ["crypto/random.ts"] },
  { name: "Math.random", pattern: /\bMath\s*\.\s*random\b/, allowed: [] },
  { name: "console", pattern: new RegExp(global("console")), allowed: ["observe/log.ts"] },
  { name: "process", pattern: new RegExp(global("process")), allowed: [] },
  { name: "Buffer", pattern: new RegExp(global("Buffer")), allowed: [] },
  { name: "require", pattern: new RegExp(`${global("require")}\\s*\\(`), allowed: [] },
  { name: "eval", pattern: new RegExp(global("eval")), allowed: [] },
  { name: "a function made of text", pattern: /\bnew Function\b|(?<![.\w$])Function\s*\(/, allowed: [] },
  {
    name: "a timer",
    pattern: new RegExp(global("(setTimeout|setInterval|setImmediate|scheduler)")),
    allowed: ["worker.ts", "agent/"],
  },
  { name: "a shared cache", pattern: new RegExp(global("caches")), allowed: [] },
];

/** What breaks the effects ledger, one sentence each. */
export function effectViolations(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) => [...ledgerViolations(file, text), ...importedEffects(file, text)]);
}

function ledgerViolations(file: string, text: string): string[] {
  const code = codeOf(text);
  return LEDGER.filter(({ allowed }) => !allowed.some((place) => file.startsWith(place))).flatMap(
    ({ name, pattern, allowed }) => {
      const match = pattern.exec(code);
      const where = allowed.length === 0 ? "it belongs nowhere" : `it belongs in ${allowed.join(" or ")}`;
      return match === null ? [] : [`src/${file}:${lineOf(code, match.index)} uses ${name}: ${where}`];
    },
  );
}

/** Effects that come in through a door of their own. */
function importedEffects(file: string, text: string): string[] {
  const specifiers = importsOf(text).map(({ specifier }) => specifier);
  const code = withoutComments(text);
  const found: string[] = [];
  for (const specifier of specifiers) {
    if (specifier.startsWith("node:")) found.push(`src/${file} imports ${specifier}: WebCrypto only`);
    if (specifier === "cloudflare:sockets") found.push(`src/${file} imports ${specifier}: egress is HTTP only`);
  }
  // jose would read the clock and the network by itself.
  if (/\bjwtVerify\s*\(/.test(code) && !/\bcurrentDate\b/.test(code)) {
    found.push(`src/${file} calls jwtVerify without currentDate: jose reads the clock`);
  }
  if (/\bcreateRemoteJWKSet\s*\(/.test(code) && !/\[customFetch\]/.test(code)) {
    found.push(`src/${file} calls createRemoteJWKSet without customFetch: jose uses the network`);
  }
  const hasEgress = file.startsWith("egress/") || specifiers.some((specifier) => /(^|\/)egress\//.test(specifier));
  if (/\bAbortSignal\s*\.\s*timeout\b/.test(codeOf(text)) && !hasEgress) {
    found.push(`src/${file} uses AbortSignal.timeout: a deadline is for what goes out`);
  }
  return found;
}
