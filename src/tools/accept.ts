import { isJsonObject, type JsonObject } from "../core/json.ts";

/** Spellings that are accepted besides the canonical ones. Whatever fits none is left to the schema. */

/** `{start: "startDateTime"}`: the second name counts where only the first is given. */
export function rename(raw: JsonObject, names: { readonly [alias: string]: string }): JsonObject {
  const entries = Object.entries(raw).map(([name, value]) => {
    const canonical = Object.hasOwn(names, name) ? names[name] : undefined;
    return [canonical === undefined || Object.hasOwn(raw, canonical) ? name : canonical, value];
  });
  return Object.fromEntries(entries);
}

export function change(raw: JsonObject, names: readonly string[], accept: (value: unknown) => unknown): JsonObject {
  const entries = Object.entries(raw);
  return Object.fromEntries(entries.map(([name, value]) => [name, names.includes(name) ? accept(value) : value]));
}

/** One text, or several addresses in it split by `;` or `,`, becomes the array. */
export function acceptAddresses(value: unknown): unknown {
  if (typeof value !== "string" && !Array.isArray(value)) return value;
  return [value].flat().flatMap((item: unknown) =>
    typeof item === "string"
      ? item
          .split(/[;,]/)
          .map((part) => part.trim())
          .filter((part) => part !== "")
      : [item],
  );
}

/** An attendee may be written as an address alone. */
export function acceptAttendees(value: unknown): unknown {
  const people = acceptAddresses(value);
  return Array.isArray(people)
    ? people.map((person: unknown) => (typeof person === "string" ? { address: person } : person))
    : people;
}

/** `{dateTime, timeZone}` becomes one text (RFC 9557 §4.1: the zone in brackets). */
export function acceptTime(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  const { dateTime, timeZone, ...more } = value;
  const isZone = timeZone === undefined || typeof timeZone === "string";
  const isTime = typeof dateTime === "string" && isZone && Object.keys(more).length === 0;
  if (!isTime) return value;
  return timeZone === undefined ? dateTime : `${dateTime}[${timeZone}]`;
}

/** A start and an end under their usual names. */
export const acceptRange = (raw: JsonObject) =>
  change(rename(raw, { start: "startDateTime", end: "endDateTime" }), ["startDateTime", "endDateTime"], acceptTime);
