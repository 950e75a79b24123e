import * as v from "valibot";
import { list, page, Text } from "../graph/answer.ts";
import { RANGE_ALIASES } from "./accept.ts";
import { Address } from "./address.ts";
import { defineTool, READS } from "./define.ts";
import { preferEvents, TimeAnswer } from "./event.ts";
import { integer } from "./schema.ts";
import { checkRange, graphTime, readTimes, Time, TimeZone } from "./time.ts";

const Schedule = v.object({
  scheduleId: Text,
  availabilityView: Text,
  scheduleItems: list(v.object({ status: Text, start: TimeAnswer, end: TimeAnswer })),
  error: v.nullish(v.object({ message: Text })),
});

export const checkAvailability = defineTool({
  name: "checkAvailability",
  description:
    "Shows when people are free, in a range of at most 14 days. availabilityView has a digit per interval: 0 free, 1 tentative, 2 busy, 3 out of office, 4 elsewhere.",
  scopes: ["Calendars.Read"],
  annotations: READS,
  aliases: RANGE_ALIASES,
  addressLists: ["schedules"],
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
    const times = readTimes([startDateTime, endDateTime], timeZone, "shown");
    if ("field" in times) return times;
    const [start, end] = times;
    return (
      checkRange(start?.ms ?? 0, end?.ms ?? 0, 14) ?? {
        method: "POST",
        path: { segments: ["me", "calendar", "getSchedule"] },
        prefer: preferEvents(timeZone),
        body: {
          schedules,
          startTime: graphTime(start),
          endTime: graphTime(end),
          availabilityViewInterval: intervalMinutes,
        },
        isIdempotent: true,
      }
    );
  },
  present: ([{ value }]) => ({ structured: { schedules: value } }),
});
