import type { OnlineMeeting } from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import { Text } from "../graph/answer.ts";
import { isSafeSegment } from "../graph/url.ts";
import { acceptAttendees, acceptTime, change, rename } from "./accept.ts";
import { defineTool, WRITES } from "./define.ts";
import { Attendees, eventBody, joinUrlOf, OnlineMeetingAnswer, preferEvents, readAgain } from "./event.ts";
import { described, integer, line } from "./schema.ts";
import { graphTime, type Moment, readTimes, Time, TimeZone, utcTime } from "./time.ts";
import { wallTime } from "./time-zone.ts";

const ALIASES = { start: "startTime", startDateTime: "startTime", end: "endTime", endDateTime: "endTime" };

/** Graph: onlineMeeting. */
const Options = v.strictObject({
  lobbyBypass: v.optional(
    v.picklist([
      "organizer",
      "organization",
      "organizationAndFederated",
      "everyone",
      "invited",
      "organizationExcludingGuests",
    ]),
  ),
  allowedPresenters: v.optional(v.picklist(["everyone", "organization", "roleIsPresenter", "organizer"])),
  allowMeetingChat: v.optional(v.picklist(["enabled", "disabled", "limited"])),
  isEntryExitAnnounced: v.optional(v.boolean()),
  recordAutomatically: v.optional(v.boolean()),
});

function optionsBody({ lobbyBypass, ...options }: v.InferOutput<typeof Options>) {
  return { ...options, ...(lobbyBypass !== undefined && { lobbyBypassSettings: { scope: lobbyBypass } }) };
}

export const createTeamsMeeting = defineTool({
  name: "createTeamsMeeting",
  title: "Create a Teams meeting",
  description:
    "With attendees: a calendar event with a Teams link, and they are invited at once; confirm with the person first. Without: a meeting link only, on no calendar.",
  scopes: ["OnlineMeetings.ReadWrite", "Calendars.ReadWrite"],
  annotations: WRITES,
  accept: (raw) =>
    change(change(rename(raw, ALIASES), ["startTime", "endTime"], acceptTime), ["attendees"], acceptAttendees),
  input: v.strictObject({
    subject: line(255),
    startTime: Time,
    endTime: v.optional(Time),
    durationMinutes: v.optional(described(integer(1, 1440), "Instead of endTime.")),
    timeZone: TimeZone,
    attendees: v.optional(Attendees, []),
    options: v.optional(Options, {}),
  }),
  /** An event, a meeting, or the meetings found by a link. */
  answer: v.nullish(
    v.object({
      id: Text,
      joinWebUrl: Text,
      onlineMeeting: OnlineMeetingAnswer,
      value: v.nullish(v.array(v.object({ id: v.string() }))),
    }),
    {},
  ),
  output: v.object({ id: v.string(), joinUrl: v.string(), invited: v.number(), optionsApplied: v.boolean() }),
  build(args) {
    const { subject, attendees, timeZone } = args;
    const times = readTimes(["startTime", "endTime"], [args.startTime, args.endTime], timeZone, "exact");
    if (!times.ok) return times.error;
    const [start, end = start && addMinutes(start, args.durationMinutes)] = times.value;
    if (start === undefined || end === undefined)
      return { field: "endTime", description: "or durationMinutes is required" };
    if (attendees.length === 0) {
      const body: OnlineMeeting = {
        subject,
        startDateTime: utcTime(start.ms),
        endDateTime: utcTime(end.ms),
        // What is undefined here is left out of the JSON.
        ...(optionsBody(args.options) as OnlineMeeting),
      };
      return { method: "POST", path: { segments: ["me", "onlineMeetings"] }, body };
    }
    return {
      method: "POST",
      path: { segments: ["me", "events"] },
      prefer: preferEvents(timeZone),
      body: {
        ...eventBody({ subject, attendees, isOnlineMeeting: true }),
        start: graphTime(start),
        end: graphTime(end),
      },
    };
  },
  // The event is made and its people are invited: nothing after it may turn that into a failure.
  next(answers, args) {
    const [{ id }] = answers;
    const joinUrl = joinUrlOf(answers);
    if (args.attendees.length === 0) return undefined;
    if (joinUrl === undefined) return answers.length === 1 ? readAgain(id) : undefined;
    if (Object.keys(args.options).length === 0) return undefined;
    const found = answers.find(({ value }) => value != null);
    if (found === undefined) {
      // Graph: onlinemeeting-get; a meeting of an event is found by its link alone.
      const filter = `JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`;
      return { method: "GET", path: { segments: MEETINGS, query: [["$filter", filter]] }, tolerates: "all" };
    }
    const meeting = found === answers.at(-1) ? found.value?.[0] : undefined;
    if (meeting === undefined || !isSafeSegment(meeting.id)) return undefined;
    const path = { segments: [...MEETINGS, meeting.id] };
    return { method: "PATCH", path, body: optionsBody(args.options), tolerates: "all" };
  },
  present(answers, { attendees, options }) {
    const [{ id, joinWebUrl }] = answers;
    const joinUrl = joinWebUrl || (joinUrlOf(answers) ?? "");
    const isSet = attendees.length === 0 || Object.keys(options).length === 0;
    const optionsApplied = isSet || (answers.length > 2 && answers.at(-1)?.value == null);
    const note = optionsApplied ? "" : "\nThe options could not be set; set them in Teams.";
    return {
      text: `Meeting created: ${joinUrl || "its join link is in Teams"}${note}`,
      structured: { id, joinUrl, invited: attendees.length, optionsApplied },
    };
  },
});

const MEETINGS = ["me", "onlineMeetings"];

function addMinutes(start: Moment, minutes: number | undefined): Moment | undefined {
  if (minutes === undefined) return undefined;
  const ms = start.ms + minutes * 60_000;
  return { ...start, ms, dateTime: wallTime(ms, start.timeZone) };
}
