import type { Event as GraphEvent } from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import { ok, type Result } from "../core/result.ts";
import { addressed, Flag, list, Recipient, Text } from "../graph/answer.ts";
import type { GraphRequest } from "../graph/request.ts";
import { isSafeSegment } from "../graph/url.ts";
import { acceptAttendees, acceptRange, change, rename } from "./accept.ts";
import { Address, MAX_RECIPIENTS, recipient } from "./address.ts";
import type { ArgumentProblem } from "./define.ts";
import { formatOf } from "./html-text.ts";
import { ContentType, described, IMMUTABLE_IDS, integer, line } from "./schema.ts";
import { DAY_MS, FROM_TO, graphTime, readTimes, Time, TimeZone } from "./time.ts";

export const TimeAnswer = v.nullish(v.object({ dateTime: Text, timeZone: Text }), {});
const Response = v.nullish(v.object({ response: Text }), {});
export const OnlineMeetingAnswer = v.nullish(v.object({ joinUrl: v.nullish(v.string()) }));

/** Times in the zone of the arguments; ids that survive a move. Graph: outlook.timezone takes names of both kinds. */
export const preferEvents = (timeZone: string) => [`outlook.timezone="${timeZone}"`, IMMUTABLE_IDS];

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
  onlineMeeting: OnlineMeetingAnswer,
  showAs: Text,
  responseStatus: Response,
  bodyPreview: Text,
  webLink: Text,
});

/** What is left of an event after a write, which may be answered without a body. */
export const Written = v.nullish(v.object({ id: Text, webLink: Text, onlineMeeting: OnlineMeetingAnswer }), {});

export const WrittenOutput = v.object({ id: v.string(), webLink: v.string(), joinUrl: v.optional(v.string()) });

export const joinUrlOf = (events: readonly Pick<v.InferOutput<typeof Written>, "onlineMeeting">[]) =>
  events.map(({ onlineMeeting }) => onlineMeeting?.joinUrl).find((url) => typeof url === "string");

/** The join link may come a moment later than its event. Undefined for an id that is none. */
export function readAgain(id: string): GraphRequest | undefined {
  if (!isSafeSegment(id)) return undefined;
  return {
    method: "GET",
    path: { segments: ["me", "events", id], query: [["$select", "id,webLink,onlineMeeting"]] },
    prefer: [IMMUTABLE_IDS],
    afterMs: 1000,
    tolerates: "all",
  };
}

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

export const acceptEvent = (raw: JsonObject) =>
  change(acceptRange(rename(raw, { description: "body" })), ["attendees"], acceptAttendees);

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

/** Start and end as Graph wants them, as far as they are given, or what is wrong with them. */
export function eventTimes(args: EventArguments): Result<{ start?: object; end?: object }, ArgumentProblem> {
  const { startDateTime, endDateTime, timeZone = "UTC", isAllDay } = args;
  const given = [startDateTime, endDateTime];
  const read = readTimes(
    FROM_TO,
    isAllDay === true ? wholeDays(given) : given,
    timeZone,
    isAllDay === true ? "shown" : "exact",
  );
  if (!read.ok) return read;
  const [start, end] = read.value;
  return ok({ ...(start && { start: graphTime(start) }), ...(end && { end: graphTime(end) }) });
}

/** Graph: an all-day event lies on dates, from midnight to the midnight after it. */
function wholeDays(times: readonly (string | undefined)[]) {
  const [start, end] = times.map((text) => text?.trim().replace(/^(\d{4}-\d\d-\d\d)[^[]*/, "$1"));
  const ms = Date.parse(end?.slice(0, 10) ?? "");
  const isOneDay = start === end && !Number.isNaN(ms);
  return [start, isOneDay ? new Date(ms + DAY_MS).toISOString().slice(0, 10) + end?.slice(10) : end];
}
