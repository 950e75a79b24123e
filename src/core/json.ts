import { err, ok, type Result } from "./result.ts";

/** Deeper than any MCP message; shallow enough for every recursive reader behind us. */
export const MAX_JSON_DEPTH = 64;

export type JsonObject = { readonly [member: string]: unknown };

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Parses JSON text (RFC 8259) and refuses nesting over `MAX_JSON_DEPTH`. */
export function parseJson(text: string): Result<unknown, "json_malformed" | "json_too_deep"> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return err("json_malformed");
  }
  // A text of at most twice the bound cannot open and close more levels than the bound.
  if (text.length > 2 * MAX_JSON_DEPTH && isDeeperThan(value, MAX_JSON_DEPTH)) return err("json_too_deep");
  return ok(value);
}

/** Without recursion: the input decides the depth, so the stack must not. */
function isDeeperThan(root: unknown, bound: number): boolean {
  let level: object[] = [root].filter(isContainer);
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === bound) return true;
    level = level.flatMap((value) => Object.values(value).filter(isContainer));
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
