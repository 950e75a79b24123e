import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Texts of source files by their path below `src`, such as `oauth/token.ts`. */
export type Sources = ReadonlyMap<string, string>;

export async function readSources(): Promise<Sources> {
  const folder = join(ROOT, "src");
  const names = (await readdir(folder, { recursive: true })).map((name) => name.replaceAll("\\", "/")).sort();
  const files = names.filter((name) => name.endsWith(".ts"));
  return new Map(
    await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
  );
}

/** What stands in the place of something that is no code: the text keeps its length, so positions stay true. */
function blank(text: string): string {
  return text.replace(/[^\n]/g, " ");
}

/** Comments gone, everything else as written. */
export function withoutComments(text: string): string {
  return scan(text, false);
}

/** Only what runs: comments, strings, regular expressions and the text of templates gone. */
export function codeOf(text: string): string {
  return scan(text, true);
}

/** A slash after one of these begins a regular expression, not a division. */
const BEFORE_REGEX = /(^|[(,=:[!&|?{};+<>~^%*-]|\b(return|typeof|case|in|of|do|else|void|throw|await|yield))\s*$/;

const TOKENS = [
  /\/\/[^\n]*/y,
  /\/\*[\s\S]*?\*\//y,
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/y,
  /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y,
] as const;

function scan(text: string, areLiteralsBlank: boolean): string {
  let code = "";
  let at = 0;
  /** Of each open `${`, how many braces are open inside it. */
  const templates: number[] = [];
  const readTemplate = () => {
    const [part = ""] = /^(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)?/.exec(text.slice(at)) ?? [];
    at += part.length;
    if (part.endsWith("${")) {
      templates.push(0);
      code += areLiteralsBlank ? `${blank(part.slice(0, -2))}  ` : part;
    } else {
      code += areLiteralsBlank ? blank(part) : part;
    }
  };
  while (at < text.length) {
    const [comment, block, string, regex] = TOKENS.map((token) => {
      token.lastIndex = at;
      return token.exec(text)?.[0];
    });
    const hidden = comment ?? block;
    const literal = string ?? (regex !== undefined && BEFORE_REGEX.test(code.slice(-40)) ? regex : undefined);
    const character = text.charAt(at);
    const depth = templates.at(-1);
    if (hidden !== undefined) {
      code += blank(hidden);
      at += hidden.length;
    } else if (literal !== undefined) {
      // Something has to stand here, or the next slash would look like the start of a regular expression.
      code += areLiteralsBlank ? `0${blank(literal.slice(1))}` : literal;
      at += literal.length;
    } else if (character === "`") {
      code += areLiteralsBlank ? "0" : character;
      at += 1;
      readTemplate();
    } else if (character === "}" && depth === 0) {
      templates.pop();
      code += areLiteralsBlank ? " " : character;
      at += 1;
      readTemplate();
    } else {
      if (depth !== undefined && (character === "{" || character === "}")) {
        templates[templates.length - 1] = depth + (character === "{" ? 1 : -1);
      }
      code += character;
      at += 1;
    }
  }
  return code;
}

/** `3:14`, as editors count. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** `import type` and `export type` leave nothing behind at run time. */
  readonly isTypeOnly: boolean;
}

/** What a file imports, re-exports or loads, as it says it. */
export function importsOf(text: string): Import[] {
  const clean = withoutComments(text);
  const pattern = /\b(?:from|import)\s*\(?\s*["']([^"'\n]+)["']/g;
  return Array.from(clean.matchAll(pattern), (match) => {
    const [statement = ""] =
      /\b(?:import|export)\b(?![\s\S]*\b(?:import|export)\b)[\s\S]*$/.exec(clean.slice(0, match.index)) ?? [];
    return {
      specifier: match[1] ?? "",
      line: lineOf(clean, match.index),
      isTypeOnly: match[0].startsWith("from") && /^(import|export)\s+type\b/.test(statement),
    };
  });
}
