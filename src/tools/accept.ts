import { isJsonObject, type JsonObject } from "../core/json.ts";

/** Spellings that are accepted besides the canonical ones. Whatever fits none is left to the schema. */

/** A start and an end under their usual names. */
export const RANGE_ALIASES = { start: "startDateTime", end: "endDateTime" };

/** What a tool accepts besides what its schema says. */
export interface Spellings {
  /** `{start: "startDateTime"}`: an alias counts where neither its target nor an earlier alias of it is given. */
  readonly aliases?: { readonly [alias: string]: string };
  /** Lists of addresses, which may be one text, or hold texts of several. */
  readonly addressLists?: readonly string[];
}

export function acceptSpellings(raw: JsonObject, { aliases = {}, addressLists = [] }: Spellings): JsonObject {
  const names = new Map(Object.entries(aliases));
  const taken = new Set(Object.keys(raw));
  const entries = Object.entries(raw).map(([given, value]) => {
    const meant = names.get(given) ?? given;
    const name = taken.has(meant) ? given : meant;
    taken.add(name);
    return [name, (addressLists.includes(name) ? acceptAddresses : acceptTime)(name, value)];
  });
  return Object.fromEntries(entries);
}

function acceptAddresses(name: string, value: unknown): unknown {
  if (typeof value !== "string" && !Array.isArray(value)) return value;
  const items = [value].flat().flatMap((item: unknown) => (typeof item === "string" ? splitAddresses(item) : [item]));
  // An attendee may be written as an address alone.
  return items.map((item) => (name === "attendees" && typeof item === "string" ? { address: item } : item));
}

/** One text may hold several addresses. */
const splitAddresses = (text: string) =>
  text
    .split(/[;,]/)
    .map((part) => part.trim())
    .filter(Boolean);

/** `{dateTime, timeZone}` becomes one text (RFC 9557 §4.1: the zone in brackets). */
function acceptTime(name: string, value: unknown): unknown {
  if (!isJsonObject(value) || !name.endsWith("Time")) return value;
  const { dateTime, timeZone, ...more } = value;
  if (typeof dateTime !== "string" || Object.keys(more).length > 0) return value;
  if (timeZone === undefined) return dateTime;
  return typeof timeZone === "string" ? `${dateTime}[${timeZone}]` : value;
}
