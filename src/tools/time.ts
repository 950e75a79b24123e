import * as v from "valibot";
import { err, ok, type Result } from "../core/result.ts";
import type { ArgumentProblem } from "./define.ts";
import { described } from "./schema.ts";
import { instantOf, isTimeZone, wallTime } from "./time-zone.ts";

/** Judged by `readTime`, which needs the zone for it. */
export const Time = v.string();
export const TimeZone = v.optional(
  described(
    v.pipe(v.string(), v.check(isTimeZone, "must be a time zone such as Europe/Zagreb")),
    "IANA or Windows name, for times without offset.",
  ),
  "UTC",
);

export const FROM_TO = ["startDateTime", "endDateTime"] as const;

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
function readTime(field: string, text: string, timeZone: string): Result<Moment, ArgumentProblem> {
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

/**
 * A start and an end, each where it is given, in order.
 * @param precision `exact` refuses an hour that the clocks skip: what happens in it would silently happen later
 */
export function readTimes(
  fields: readonly [string, string],
  texts: readonly (string | undefined)[],
  timeZone: string,
  precision: "exact" | "shown",
): Result<readonly [start?: Moment, end?: Moment], ArgumentProblem> {
  const moments: [Moment?, Moment?] = [];
  for (const [index, field] of fields.entries()) {
    const text = texts[index];
    const read = text === undefined ? ok(undefined) : readTime(field, text, timeZone);
    if (!read.ok) return read;
    if (read.value?.isSkipped && precision === "exact") {
      return err({ field, description: "does not exist: the clocks go forward in that hour" });
    }
    moments[index] = read.value;
  }
  const [start, end] = moments;
  if (start === undefined || end === undefined || start.ms < end.ms) return ok(moments);
  return err({ field: fields[1], description: `must be after ${fields[0]}` });
}

export const graphTime = ({ dateTime, timeZone }: Moment) => ({ dateTime, timeZone });
/** In UTC, with `Z`: Graph reads a bound without an offset as UTC, whatever zone is preferred. */
export const DAY_MS = 86_400_000;
export const utcTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
