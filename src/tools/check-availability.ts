import * as v from "valibot";
import { acceptAddresses, acceptTime, change, rename } from "./accept.ts";
import { Address } from "./address.ts";
import { defineTool, READS } from "./define.ts";
import { integer, list, page, Text } from "./schema.ts";
import { graphTime, preferZone, readTime, Time, TimeZone } from "./time.ts";

const MAX_RANGE_MS = 14 * 86_400_000;
const FIELDS = ["startDateTime", "endDateTime"] as const;

const When = v.nullish(v.object({ dateTime: Text, timeZone: Text }), {});
const Schedule = v.object({
  scheduleId: Text,
  availabilityView: Text,
  scheduleItems: list(v.object({ status: Text, start: When, end: When })),
  error: v.nullish(v.object({ message: Text })),
});

export const checkAvailability = defineTool({
  name: "checkAvailability",
  title: "Check availability",
  description:
    "Shows when people are free or busy, at most 14 days. availabilityView has a digit per interval: 0 free, 1 tentative, 2 busy, 3 out of office, 4 elsewhere.",
  scopes: ["Calendars.Read"],
  annotations: READS,
  accept: (raw) =>
    change(change(rename(raw, { start: FIELDS[0], end: FIELDS[1] }), FIELDS, acceptTime), ["schedules"], acceptAddresses),
  input: v.strictObject({
    schedules: v.pipe(v.array(Address), v.minLength(1), v.maxLength(20)),
    startDateTime: Time,
    endDateTime: Time,
    timeZone: TimeZone,
    intervalMinutes: v.optional(integer(5, 1440), 30),
  }),
  answer: page(Schedule),
  output: v.object({ schedules: v.array(Schedule) }),
  list: "schedules",
  build({ schedules, startDateTime, endDateTime, timeZone, intervalMinutes }) {
    const start = readTime(FIELDS[0], startDateTime, timeZone);
    if (!start.ok) return start.error;
    const end = readTime(FIELDS[1], endDateTime, timeZone);
    if (!end.ok) return end.error;
    const lengthMs = end.value.ms - start.value.ms;
    if (lengthMs <= 0 || lengthMs > MAX_RANGE_MS) return { field: FIELDS[1], description: "must be after startDateTime, at most 14 days" };
    return {
      method: "POST",
      path: { segments: ["me", "calendar", "getSchedule"] },
      prefer: [preferZone(timeZone)],
      body: {
        schedules,
        startTime: graphTime(start.value),
        endTime: graphTime(end.value),
        availabilityViewInterval: intervalMinutes,
      },
      isIdempotent: true,
    };
  },
  present: ([{ value }]) => ({ structured: { schedules: value } }),
});
