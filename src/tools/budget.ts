import { utf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { clipText } from "../core/text.ts";
import type { ToolResult } from "./result.ts";

/** 100 KB for a whole result, which says everything twice, less room for a page token of usual length. */
const MAX_RESULT_BYTES = 96_000;
const SHORT_BODY_CHARS = 500;
/** A mail beyond this is a document; its first pages are enough. */
export const LONGEST_BODY_CHARS = 50_000;

/**
 * A list; one that is too large is shown without indentation, then with short bodies, then without its last items. Pure.
 * @param places where the list may go on: a page token is made of one of them
 * @param textOf what is shown as text; the list alone where nothing else is said
 */
export function fitList(
  list: string,
  structured: JsonObject,
  all: readonly unknown[],
  places: readonly unknown[] = [],
  textOf = (shown: JsonObject, indent: number) => JSON.stringify(shown[list], null, indent),
): { readonly result: ToolResult; readonly kept: number } {
  // 100 KB less what seals a token, which is base64 and stands in the result twice.
  const maxBytes = Math.min(MAX_RESULT_BYTES, ...places.map((place) => 99_500 - 2 * (4 / 3) * sizeOf(place)));
  let items = all;
  let indent = 2;
  for (;;) {
    const omitted = all.length - items.length;
    const advice = `${omitted} more did not fit: go on with pageToken if there is one, or ask for less.`;
    const shown = { ...structured, [list]: items, ...(omitted > 0 && { truncated: true, omitted }) };
    const result = showResult(shown, textOf(shown, indent), ...(omitted > 0 ? [advice] : []));
    const excess = sizeOf(result) / maxBytes;
    if (excess <= 1 || items.length === 0) return { result, kept: items.length };
    items =
      indent > 0
        ? all.map((item) => clipBody(item, SHORT_BODY_CHARS))
        : items.slice(0, Math.min(items.length - 1, Math.floor(items.length / excess)));
    indent = 0;
  }
}

/** One thing, with as much of its body as fits; where nothing of it does, the longest list gives way. Pure. */
export function fitOne(structured: JsonObject, text: string | undefined): ToolResult {
  const textOf = (shown: JsonObject, indent: number) => text ?? JSON.stringify(shown, null, indent);
  for (const indent of [2, 0]) {
    const showUpTo = (chars: number) => {
      const fitted = clipBody(structured, chars);
      return showResult(fitted, textOf(fitted, indent));
    };
    let fits = 0;
    const all = Math.min(String(structured.body ?? "").length, LONGEST_BODY_CHARS);
    // Bytes are not in proportion to characters, so it is sought by halves: all of it, then at most 16 times.
    for (let [most, chars] = [all, all]; fits < most; chars = Math.ceil((fits + most) / 2)) {
      if (sizeOf(showUpTo(chars)) <= MAX_RESULT_BYTES) fits = chars;
      else most = chars - 1;
    }
    const result = showUpTo(fits);
    if (fits > 0 || (all === 0 && sizeOf(result) <= MAX_RESULT_BYTES)) return result;
  }
  const fitted = clipBody(structured, 0);
  const lists = Object.entries(fitted).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
  const [longest] = lists.sort(([, a], [, b]) => b.length - a.length);
  return longest ? fitList(longest[0], fitted, longest[1], [], textOf).result : showResult(fitted, textOf(fitted, 0));
}

function clipBody<Item>(item: Item, maxChars: number): Item {
  if (!isJsonObject(item) || typeof item.body !== "string" || item.body.length <= maxChars) return item;
  return { ...item, body: clipText(item.body, maxChars), bodyTruncated: true };
}

const showResult = (structuredContent: JsonObject, ...texts: readonly string[]): ToolResult => ({
  content: texts.map((text) => ({ type: "text", text })),
  structuredContent,
});

const sizeOf = (value: unknown): number => utf8(JSON.stringify(value ?? null)).length;
