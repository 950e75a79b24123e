import type { Event as GraphEvent } from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import { addressed, Flag, list, Recipient, Text } from "../graph/answer.ts";
import type { GraphRequest } from "../graph/request.ts";
import { isSafeSegment } from "../graph/url.ts";
import { RANGE_ALIASES } from "./accept.ts";
import { Address, MAX_RECIPIENTS } from "./address.ts";
import type { ArgumentProblem } from "./define.ts";
import { formatOf } from "./html-text.ts";
import { ContentType, described, IMMUTABLE_IDS, integer, line } from "./schema.ts";
import { graphTime, readTimes, Time, TimeZone, utcTime } from "./time.ts";
import { DAY_MS } from "./time-zone.ts";

export const TimeAnswer = v.nullish(v.object({ dateTime: Text, timeZone: Text }), {});
const Response = v.nullish(v.object({ response: Text }), {});
const OnlineMeeting = v.nullish(v.object({ joinUrl: v.nullish(v.string()) }));

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
  onlineMeeting: OnlineMeeting,
  showAs: Text,
  responseStatus: Response,
  bodyPreview: Text,
  webLink: Text,
});

/** What is used of an event or a meeting after a write, which may be answered without a body, or of the meetings found by a link. */
export const Written = v.nullish(
  v.object({
    id: Text,
    webLink: Text,
    joinWebUrl: Text,
    onlineMeeting: OnlineMeeting,
    body: v.nullish(v.object({ content: Text }), {}),
    value: v.nullish(v.array(v.object({ id: v.string() }))),
  }),
  {},
);

export const WrittenOutput = v.object({ id: v.string(), webLink: v.string(), joinUrl: v.optional(v.string()) });

export const joinUrlOf = (written: readonly v.InferOutput<typeof Written>[]) =>
  written.map(({ onlineMeeting, joinWebUrl }) => onlineMeeting?.joinUrl || joinWebUrl).find(Boolean);

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

export const EVENT_SPELLINGS = { aliases: { ...RANGE_ALIASES, description: "body" }, addressLists: ["attendees"] };

type EventArguments = Partial<v.InferOutput<v.StrictObjectSchema<typeof EVENT_INPUT, undefined>>>;

/** Members that are undefined are left out of the JSON. */
export type Sparse<Type> = Type extends object ? { [Name in keyof Type]?: Sparse<Type[Name]> | undefined } : Type;

/** Graph: event, with the members that are given and no others, or what is wrong with its times. */
export function eventBody(args: EventArguments): Sparse<GraphEvent> | ArgumentProblem {
  const {
    startDateTime,
    endDateTime,
    timeZone = "UTC",
    body: content,
    contentType,
    location,
    attendees,
    ...plain
  } = args;
  const { isAllDay, isOnlineMeeting, reminderMinutesBeforeStart } = plain;
  const given = [startDateTime, endDateTime];
  const times = readTimes(isAllDay ? wholeDays(given) : given, timeZone, isAllDay ? "shown" : "exact");
  if ("field" in times) return times;
  return {
    ...plain,
    start: graphTime(times[0]),
    end: graphTime(times[1]),
    body: content === undefined ? content : { contentType: contentType ?? formatOf(content), content },
    location: location === undefined ? location : { displayName: location },
    attendees: attendees?.map(({ type, ...emailAddress }) => ({ emailAddress, type })),
    // Graph: without its provider an online meeting is whatever the calendar prefers.
    onlineMeetingProvider: isOnlineMeeting ? "teamsForBusiness" : undefined,
    isReminderOn: reminderMinutesBeforeStart === undefined ? undefined : true,
  };
}

/** Graph: an all-day event lies on dates, from midnight to the midnight after it. */
function wholeDays(times: readonly (string | undefined)[]) {
  const [start, end] = times.map((text) => text?.trim().replace(/^(\d{4}-\d\d-\d\d)[^[]*/, "$1"));
  const ms = Date.parse(end?.slice(0, 10) ?? "");
  const isOneDay = start === end && !Number.isNaN(ms);
  return [start, isOneDay ? utcTime(ms + DAY_MS).slice(0, 10) + end?.slice(10) : end];
}
