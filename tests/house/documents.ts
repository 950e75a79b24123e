import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./source.ts";

/** The documents that a reader is sent to. */
export const DOCUMENTS = [
  "README.md",
  "OPERATIONS.md",
  "SECURITY.md",
  "TECHNICAL.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
] as const;
export type Document = (typeof DOCUMENTS)[number];

export const readText = (path: string) => readFile(join(ROOT, path), "utf8");

export const exists = (path: string) =>
  access(join(ROOT, path)).then(
    () => true,
    () => false,
  );

/** The part of a text under one heading, without it. */
export function sectionOf(text: string, heading: string): string {
  const lines = text.split("\n");
  const level = /^#+/.exec(heading)?.[0].length ?? 0;
  const start = lines.indexOf(heading) + 1;
  if (start === 0) throw new Error(`no heading '${heading}'`);
  const length = lines
    .slice(start)
    .findIndex((line) => /^#+ /.test(line) && (/^#+/.exec(line)?.[0].length ?? 9) <= level);
  return lines.slice(start, length === -1 ? undefined : start + length).join("\n");
}

/** A row of cells for each row of a table, without what aligns them and without the line under its head. */
export function rowsOf(text: string): string[][] {
  const rows = text.split("\n").filter((line) => line.trim().startsWith("|") && !/^[|\s:-]+$/.test(line));
  return rows.map((row) =>
    row
      .trim()
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** What stands between fences of that language, without the indentation of a list. */
export function fences(text: string, language: string): string[] {
  const blocks = text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm);
  return Array.from(blocks, ([, indent = "", tag, body = ""]) =>
    tag === language ? body.replace(new RegExp(`^${indent}`, "gm"), "") : undefined,
  ).filter((body) => body !== undefined);
}

export interface Command {
  /** As it would be typed, in one piece. */
  readonly text: string;
  /** What stands behind the last ` # `. */
  readonly remark: string | undefined;
}

/** The commands of all `sh` blocks, in the order of the document; lines that end in `\\` go on. */
export function commandsOf(text: string): Command[] {
  const lines = fences(text, "sh").flatMap((block) => block.replace(/\\\n\s*/g, "").split("\n"));
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const at = line.lastIndexOf(" # ");
      return at === -1 ? { text: line, remark: undefined } : { text: line.slice(0, at), remark: line.slice(at + 3) };
    });
}

export interface Step {
  /** The file that is made or changed. */
  readonly path: string;
  readonly language: "ts" | "json" | "diff";
  readonly body: string;
}

/** The files of a guide: each block belongs to the path in backticks that ends the text before it, `path`: */
export function stepsOf(text: string): Step[] {
  const blocks = text.matchAll(/`([\w./-]+\.\w+)`:\n\n( *)```(ts|json|diff)\n([\s\S]*?)^\2```$/gm);
  return Array.from(blocks, ([, path = "", indent = "", language, body = ""]) => ({
    path,
    language: language as Step["language"],
    body: body.replace(new RegExp(`^${indent}`, "gm"), ""),
  }));
}
