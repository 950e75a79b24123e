import * as v from "valibot";
import type { ArgumentProblem } from "./define.ts";
import { described } from "./schema.ts";
import { DAY_MS, instantOf, isTimeZone, wallTime } from "./time-zone.ts";

/** Judged by `readTimes`, which needs the zone for it. */
export const Time = v.string();
const TIME_WANTED = "must be a time such as 2026-03-02T09:00 or 2026-03-02T09:00+01:00";
const ZONE_WANTED = "must name a time zone such as Europe/Zagreb";
export const TimeZone = v.optional(
  described(v.pipe(v.string(), v.check(isTimeZone, ZONE_WANTED)), "IANA or Windows name, for times without offset."),
  "UTC",
);

export const FROM_TO = ["startDateTime", "endDateTime"] as const;

/** A moment as Graph's dateTimeTimeZone wants it, and as a number. */
export interface Moment {
  readonly ms: number;
  readonly dateTime: string;
  readonly timeZone: string;
}

export const momentAt = (ms: number, timeZone: string): Moment => ({ ms, dateTime: wallTime(ms, timeZone), timeZone });

/** ISO 8601 with or without time, seconds and offset; RFC 9557 §4.1 puts a zone in brackets behind it. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?(?:\[(.*)\])?$/i;

/** `exact` refuses an hour that the clocks skip: what happens in it would silently happen later. */
type Precision = "exact" | "shown";

/**
 * Reads a time; without an offset it is a wall time in `timeZone`. Graph: a dateTime has no offset of its own.
 * @returns the moment, or what is wrong
 */
function readTime(text: string, timeZone: string, precision: Precision): Moment | string {
  const [, date, minutes = "00:00", seconds = ":00", offset, zone = timeZone] = ISO.exec(text.trim()) ?? [];
  const dateTime = `${date}T${minutes}${seconds}`;
  const wallMs = Date.parse(`${dateTime}Z`);
  const offsetMs = Date.parse(dateTime + (offset ?? "Z").toUpperCase());
  // `Date.parse` carries a 30th of February over into March.
  if (Number.isNaN(offsetMs) || !utcTime(wallMs).startsWith(dateTime)) return TIME_WANTED;
  if (offset !== undefined) return momentAt(offsetMs, "UTC");
  if (!isTimeZone(zone)) return ZONE_WANTED;
  const { ms, isSkipped } = instantOf(wallMs, zone);
  if (isSkipped && precision === "exact") return "does not exist: the clocks go forward in that hour";
  return { ms, dateTime, timeZone: zone };
}

/** A start and an end, each where it is given, in order. */
export function readTimes(
  texts: readonly (string | undefined)[],
  timeZone: string,
  precision: Precision,
  [from, to]: readonly [string, string] = FROM_TO,
): readonly [start: Moment | undefined, end: Moment | undefined] | ArgumentProblem {
  const [start, end] = texts.map((text) => (text === undefined ? text : readTime(text, timeZone, precision)));
  if (typeof start === "string") return { field: from, description: start };
  if (typeof end === "string") return { field: to, description: end };
  if (start && end && start.ms >= end.ms) return { field: to, description: `must be after ${from}` };
  return [start, end];
}

/** What is wrong with a range between two numbers of milliseconds, if anything is. */
export const checkRange = (startMs: number, endMs: number, maxDays: number): ArgumentProblem | undefined =>
  startMs < endMs && endMs - startMs <= maxDays * DAY_MS
    ? undefined
    : { field: FROM_TO[1], description: `must be after ${FROM_TO[0]}, by at most ${maxDays} days` };

/** Graph: dateTimeTimeZone; undefined where there is none. */
export const graphTime = (moment: Moment | undefined) =>
  moment && { dateTime: moment.dateTime, timeZone: moment.timeZone };
/** In UTC, with `Z`: Graph reads a bound without an offset as UTC, whatever zone is preferred. */
export const utcTime = (ms: number) => `${wallTime(ms, "UTC")}Z`;
