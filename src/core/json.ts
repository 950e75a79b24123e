import { err, ok, type Result } from "./result.ts";

/** Deeper than any MCP message; shallow enough for every recursive reader behind us. */
export const MAX_JSON_DEPTH = 64;

/** A message has hundreds; a million empty ones in 4 MiB of text would take the memory of the whole isolate. */
export const MAX_JSON_CONTAINERS = 100_000;

export type JsonObject = { readonly [member: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export type JsonProblem = "json_malformed" | "json_too_complex";

/** Parses JSON text (RFC 8259); what is over one of the two bounds is refused before anything is built from it. */
export function parseJson(text: string): Result<unknown, JsonProblem> {
  // A text of twice the bound cannot open and close more levels than that.
  if (text.length > 2 * MAX_JSON_DEPTH && isTooComplex(text)) return err("json_too_complex");
  try {
    return ok(JSON.parse(text));
  } catch {
    return err("json_malformed");
  }
}

/** Counts brackets outside strings; in a text that is no JSON they mean nothing, and the parser says so. */
function isTooComplex(text: string): boolean {
  let depth = 0;
  let containers = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '"') index = endOfString(text, index);
    else if (character === "}" || character === "]") depth -= 1;
    else if (character === "{" || character === "[") {
      depth += 1;
      containers += 1;
      if (depth > MAX_JSON_DEPTH || containers > MAX_JSON_CONTAINERS) return true;
    }
  }
  return false;
}

/** The closing quote: one behind an even number of backslashes (RFC 8259 §7). */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === "\\") backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}
