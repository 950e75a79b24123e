import * as v from "valibot";
import { err, ok, type Result } from "../core/result.ts";
import type { ArgumentProblem } from "./define.ts";
import { described } from "./schema.ts";
import { instantOf, isTimeZone, wallTime } from "./time-zone.ts";

/** Judged by `readTime`, which needs the zone for it. */
export const Time = v.pipe(v.string(), v.maxLength(120));
export const TimeZone = v.optional(
  described(
    v.pipe(v.string(), v.maxLength(64), v.check(isTimeZone, "must be a time zone such as Europe/Zagreb")),
    "IANA or Windows name, for times without offset.",
  ),
  "UTC",
);

/** A moment as Graph's dateTimeTimeZone wants it, and as a number. */
export interface Moment {
  readonly ms: number;
  readonly dateTime: string;
  readonly timeZone: string;
  /** No clock in that zone ever shows it. */
  readonly isSkipped: boolean;
}

/** ISO 8601 with or without time, seconds and offset; RFC 9557 §4.1 puts a zone in brackets behind it. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?(?:\[(.*)\])?$/i;

/** Reads a time; without an offset it is a wall time in `timeZone`. Graph: a dateTime has no offset of its own. */
export function readTime(field: string, text: string, timeZone: string): Result<Moment, ArgumentProblem> {
  const [, date, minutes = "00:00", seconds = ":00", offset, zone = timeZone] = ISO.exec(text.trim()) ?? [];
  const dateTime = `${date}T${minutes}${seconds}`;
  const wallMs = Date.parse(`${dateTime}Z`);
  // `Date.parse` carries a 30th of February over into March.
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString().slice(0, 19) !== dateTime) {
    return err({ field, description: "must be a time such as 2026-03-02T09:00 or 2026-03-02T09:00:00+01:00" });
  }
  if (offset === undefined) {
    if (!isTimeZone(zone)) return err({ field, description: "names no time zone such as Europe/Zagreb" });
    return ok({ ...instantOf(wallMs, zone), dateTime, timeZone: zone });
  }
  const ms = Date.parse(dateTime + offset.toUpperCase());
  if (Number.isNaN(ms)) return err({ field, description: "has an impossible offset" });
  return ok({ ms, dateTime: wallTime(ms, "UTC"), timeZone: "UTC", isSkipped: false });
}

/** Two times in order. @param fields their names, for a complaint */
export function readRange(
  fields: readonly [string, string],
  start: string,
  end: string,
  timeZone: string,
): Result<readonly [Moment, Moment], ArgumentProblem> {
  const first = readTime(fields[0], start, timeZone);
  if (!first.ok) return first;
  const last = readTime(fields[1], end, timeZone);
  if (!last.ok) return last;
  if (last.value.ms <= first.value.ms) return err({ field: fields[1], description: `must be after ${fields[0]}` });
  return ok([first.value, last.value]);
}

export const graphTime = ({ dateTime, timeZone }: Moment) => ({ dateTime, timeZone });
/** In UTC, with `Z`: Graph reads a bound without an offset as UTC, whatever zone is preferred. */
export const utcTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
/** Graph: outlook.timezone */
export const preferZone = (timeZone: string) => `outlook.timezone="${timeZone}"`;
