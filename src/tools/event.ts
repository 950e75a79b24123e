import * as v from "valibot";
import type { Event as GraphEvent } from "@microsoft/microsoft-graph-types";
import type { JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { acceptAttendees, acceptTime, change, rename } from "./accept.ts";
import { Address, MAX_RECIPIENTS, recipient } from "./address.ts";
import type { ArgumentProblem } from "./define.ts";
import { formatOf } from "./html-text.ts";
import { addressed, ContentType, described, Flag, integer, line, list, Recipient, Text } from "./schema.ts";
import { graphTime, type Moment, readTime, Time, TimeZone } from "./time.ts";

const TimeAnswer = v.nullish(v.object({ dateTime: Text, timeZone: Text }), {});
const Response = v.nullish(v.object({ response: Text }), {});
const OnlineMeeting = v.nullish(v.object({ joinUrl: v.nullish(v.string()) }));

/** Graph: event, as far as the tools show it. */
export const Event = v.object({
  id: v.string(),
  subject: Text,
  start: TimeAnswer,
  end: TimeAnswer,
  isAllDay: Flag,
  location: v.nullish(v.object({ displayName: Text }), {}),
  organizer: v.nullish(Recipient),
  attendees: list(addressed({ type: Text, status: Response })),
  isOnlineMeeting: Flag,
  onlineMeeting: OnlineMeeting,
  showAs: Text,
  responseStatus: Response,
  bodyPreview: Text,
  webLink: Text,
});

/** What is left of an event after a write, which may be answered without a body. */
export const Written = v.nullish(v.object({ id: Text, webLink: Text, onlineMeeting: OnlineMeeting }), {});
export type WrittenEvent = v.InferOutput<typeof Written>;

export const WrittenOutput = v.object({ id: v.string(), webLink: v.string(), joinUrl: v.optional(v.string()) });

export const joinUrlOf = (events: readonly WrittenEvent[]) =>
  events.map(({ onlineMeeting }) => onlineMeeting?.joinUrl).find((url) => typeof url === "string");

/** The join link may come a moment later than its event. */
export const readAgain = (id: string) => ({
  method: "GET" as const,
  path: { segments: ["me", "events", id], query: [["$select", "id,webLink,onlineMeeting"]] as const },
  prefer: ['IdType="ImmutableId"'],
  afterMs: 1000,
  tolerates: "all" as const,
});

export const Attendees = v.pipe(
  v.array(
    v.strictObject({
      address: Address,
      name: v.optional(line(256)),
      type: v.optional(v.picklist(["required", "optional", "resource"]), "required"),
    }),
  ),
  v.maxLength(MAX_RECIPIENTS),
);

/** Arguments that make or change an event. */
export const EVENT_INPUT = {
  subject: v.optional(line(255)),
  startDateTime: v.optional(Time),
  endDateTime: v.optional(Time),
  timeZone: TimeZone,
  body: v.optional(v.pipe(v.string(), v.maxLength(150_000))),
  contentType: v.optional(ContentType),
  location: v.optional(line(500)),
  attendees: v.optional(Attendees),
  isAllDay: v.optional(described(v.boolean(), "Dates only; the end is the day after the last.")),
  isOnlineMeeting: v.optional(v.boolean()),
  reminderMinutesBeforeStart: v.optional(integer(0, 40_320)),
};

const ALIASES = { start: "startDateTime", end: "endDateTime", description: "body" };

export const acceptEvent = (raw: JsonObject) =>
  change(change(rename(raw, ALIASES), ["startDateTime", "endDateTime"], acceptTime), ["attendees"], acceptAttendees);

type EventArguments = Partial<v.InferOutput<v.StrictObjectSchema<typeof EVENT_INPUT, undefined>>>;

/** Graph: event, with the members that are given and no others. */
export function eventBody(args: EventArguments) {
  const { subject, body, contentType, location, attendees, isAllDay, isOnlineMeeting } = args;
  const { reminderMinutesBeforeStart } = args;
  return {
    ...(subject !== undefined && { subject }),
    ...(body !== undefined && {
      body: { contentType: contentType ?? formatOf(body), content: body },
    }),
    ...(location !== undefined && { location: { displayName: location } }),
    ...(attendees !== undefined && {
      attendees: attendees.map(({ address, name, type }) => ({ ...recipient(address, name), type })),
    }),
    ...(isAllDay !== undefined && { isAllDay }),
    ...(isOnlineMeeting !== undefined && { isOnlineMeeting }),
    // Graph: without its provider an online meeting is whatever the calendar prefers.
    ...(isOnlineMeeting === true && { onlineMeetingProvider: "teamsForBusiness" }),
    ...(reminderMinutesBeforeStart !== undefined && { isReminderOn: true, reminderMinutesBeforeStart }),
  } satisfies GraphEvent;
}

const FIELDS = ["startDateTime", "endDateTime"] as const;
const DAY_MS = 86_400_000;

/** Start and end as Graph wants them, as far as they are given, or what is wrong with them. */
export function eventTimes(args: EventArguments): Result<{ start?: object; end?: object }, ArgumentProblem> {
  const { startDateTime, endDateTime, timeZone = "UTC", isAllDay } = args;
  // Graph: an all-day event lies on dates, from midnight to midnight.
  const cut = (text: string) => (isAllDay === true ? text.trim().replace(/^(\d{4}-\d\d-\d\d)[^[]*/, "$1") : text);
  const moments: Moment[] = [];
  for (const [field, text] of [[FIELDS[0], startDateTime], [FIELDS[1], endDateTime]] as const) {
    const read = text === undefined ? undefined : readTime(field, cut(text), timeZone);
    if (read?.ok === false) return read;
    if (read?.ok && read.value.isSkipped && isAllDay !== true) {
      return err({ field, description: "does not exist: the clocks go forward in that hour" });
    }
    if (read?.ok) moments.push(read.value);
  }
  const [first, last] = moments;
  if (first === undefined || last === undefined) {
    return ok(first === undefined ? {} : { [startDateTime === undefined ? "end" : "start"]: graphTime(first) });
  }
  if (isAllDay === true && last.ms === first.ms) {
    const dateTime = new Date(Date.parse(`${last.dateTime}Z`) + DAY_MS).toISOString().slice(0, 19);
    return ok({ start: graphTime(first), end: graphTime({ ...last, dateTime }) });
  }
  if (last.ms <= first.ms) return err({ field: FIELDS[1], description: `must be after ${FIELDS[0]}` });
  return ok({ start: graphTime(first), end: graphTime(last) });
}
