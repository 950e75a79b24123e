import { posix } from "node:path";
import { importsOf, type Sources } from "./source.ts";

/** From top to bottom. Folders of one line stand side by side and do not see each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["worker.ts", "routes.ts"],
  ["endpoints"],
  ["agent"],
  ["mcp"],
  ["oauth", "tools", "resources", "prompts"],
  ["access", "entra", "graph"],
  ["egress"],
  ["crypto", "http", "observe", "config.ts"],
  ["core"],
];

/** A type of what was checked, which its floor may look at too: it reads the environment and imports nothing but core. */
const EVERYBODY_READS = "config.ts";

/** Runtime packages and who may use them. `agent` alone is tied to the platform, so the rest also runs under Node. */
const PACKAGES: { readonly [name: string]: readonly string[] } = {
  valibot: [],
  jose: ["access", "entra", "egress"],
  "@valibot/to-json-schema": ["mcp"],
  "cloudflare:workers": ["agent"],
};

/** Types of other people's formats; with `verbatimModuleSyntax` nothing of `import type` is left at run time. */
const TYPE_PACKAGES = ["@microsoft/microsoft-graph-types", "@modelcontextprotocol/sdk/types.js"];

/** What breaks the floors, one sentence each, with the file and the import. */
export function floorViolations(sources: Sources): string[] {
  return [...sources].flatMap(([file, text]) =>
    importsOf(text).flatMap(({ specifier, line, isTypeOnly }) => {
      if (isTypeOnly && TYPE_PACKAGES.includes(specifier)) return [];
      const problem = judge(file, specifier, sources);
      return problem === undefined ? [] : [`src/${file}:${line} imports ${specifier}: ${problem}`];
    }),
  );
}

function judge(file: string, specifier: string, sources: Sources): string | undefined {
  const from = unitOf(file);
  if (!specifier.startsWith(".")) return judgePackage(from, specifier);
  const target = posix.join(posix.dirname(file), specifier);
  // The version has one source (D-18).
  if (target === "../package.json") return from === "mcp" ? undefined : "only mcp/server-info.ts reads package.json";
  if (!sources.has(target)) return "there is no such file in src";
  const to = unitOf(target);
  if (from === to) return undefined;
  const [fromFloor, toFloor] = [floorOf(from), floorOf(to)];
  if (fromFloor === undefined) return `${from} is on no floor`;
  if (toFloor === undefined) return `${to} is on no floor`;
  if (fromFloor > toFloor) return `${from} lies below ${to}`;
  // The entry and its table are one floor.
  if (fromFloor === toFloor && fromFloor !== 0 && to !== EVERYBODY_READS) return `${from} and ${to} share a floor`;
  // A guard in `endpoints` stands between them, whichever lies above.
  if (from === "mcp" && to === "oauth") return "mcp and oauth never see each other";
  return undefined;
}

function judgePackage(from: string, name: string): string | undefined {
  const users = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
  if (users === undefined) return "not a package that may reach the bundle";
  return users.length === 0 || users.includes(from) ? undefined : `only ${users.join(" and ")} may use it`;
}

/** The folder at the top of src, or the file itself where there is none. */
function unitOf(file: string): string {
  return file.split("/")[0] ?? file;
}

function floorOf(unit: string): number | undefined {
  const floor = FLOORS.findIndex((units) => units.includes(unit));
  return floor === -1 ? undefined : floor;
}
