import { utf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { clipText } from "../core/text.ts";
import type { ToolResult } from "./result.ts";

/** 100 KB for a whole result, which says everything twice, less room for a page token. */
const MAX_RESULT_BYTES = 96_000;
const SHORT_BODY_CHARS = 500;

/** The result; one that is too large loses length of bodies first, then items from the end. Pure. */
export function fitResult(list: string | undefined, structured: JsonObject, text: string | undefined): ToolResult {
  const whole = showResult(list, structured, text);
  if (sizeOf(whole) <= MAX_RESULT_BYTES) return whole;
  const items = list === undefined ? undefined : structured[list];
  return Array.isArray(items) && list !== undefined ? fitList(list, structured, items) : fitOne(structured, text);
}

function fitList(list: string, structured: JsonObject, all: readonly unknown[]): ToolResult {
  const short = all.map((item) => clipBody(item, SHORT_BODY_CHARS));
  let kept = short;
  for (;;) {
    const omitted = all.length - kept.length;
    const truncated = omitted > 0 && { truncated: true, omitted };
    const result = showResult(list, { ...structured, [list]: kept, ...truncated }, undefined);
    const excess = sizeOf(result) / MAX_RESULT_BYTES;
    if (excess > 1 && kept.length > 0) {
      kept = short.slice(0, Math.min(kept.length - 1, Math.floor(kept.length / excess)));
      continue;
    }
    if (omitted === 0) return result;
    const advice = `${omitted} more did not fit and are not on the next page: ask for fewer at a time, or a narrower range.`;
    return { ...result, content: [...result.content, { type: "text", text: advice }] };
  }
}

function fitOne(structured: JsonObject, text: string | undefined): ToolResult {
  let chars = MAX_RESULT_BYTES / 4;
  let result = showResult(undefined, structured, text);
  for (; sizeOf(result) > MAX_RESULT_BYTES && chars > 1; chars /= 2) {
    result = showResult(undefined, clipBody(structured, chars), text);
  }
  return result;
}

function clipBody<Item>(item: Item, maxChars: number): Item {
  if (!isJsonObject(item) || typeof item.body !== "string" || item.body.length <= maxChars) return item;
  return { ...item, body: clipText(item.body, Math.floor(maxChars)), bodyTruncated: true };
}

function showResult(list: string | undefined, structured: JsonObject, text: string | undefined): ToolResult {
  const shown = text ?? JSON.stringify(list === undefined ? structured : structured[list], null, 2);
  return { content: [{ type: "text", text: shown }], structuredContent: structured };
}

const sizeOf = (result: ToolResult): number => utf8(JSON.stringify(result)).length;
