import type { OnlineMeeting } from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import { isPlainSegment } from "../graph/url.ts";
import { defineTool, WRITES } from "./define.ts";
import { Attendees, eventBody, joinUrlOf, preferEvents, readAgain, type Sparse, Written } from "./event.ts";
import { described, integer, line } from "./schema.ts";
import { graphTime, momentAt, readTimes, Time, TimeZone, utcTime } from "./time.ts";

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

/** Graph: onlineMeeting has the lobby in an object of its own. */
const optionsBody = ({ lobbyBypass: scope, ...options }: v.InferOutput<typeof Options>) => ({
  ...options,
  lobbyBypassSettings: scope && { scope },
});

export const createTeamsMeeting = defineTool({
  name: "createTeamsMeeting",
  description:
    "Creates an event with a Teams link, or without attendees only the link. Attendees are invited at once: confirm with the person first.",
  scopes: ["OnlineMeetings.ReadWrite", "Calendars.ReadWrite"],
  annotations: WRITES,
  addressLists: ["attendees"],
  aliases: { start: "startTime", startDateTime: "startTime", end: "endTime", endDateTime: "endTime" },
  input: v.strictObject({
    subject: line(255),
    startTime: Time,
    endTime: v.optional(Time),
    durationMinutes: v.optional(described(integer(1, 1440), "Instead of endTime.")),
    timeZone: TimeZone,
    attendees: v.optional(Attendees, []),
    options: v.optional(Options, {}),
  }),
  answer: Written,
  output: v.object({ id: v.string(), joinUrl: v.string(), invited: v.number(), optionsApplied: v.boolean() }),
  build({ subject, attendees, timeZone, options, ...args }) {
    const times = readTimes([args.startTime, args.endTime], timeZone, "exact", ["startTime", "endTime"]);
    if ("field" in times) return times;
    const { durationMinutes: minutes } = args;
    const [start, end = start && minutes ? momentAt(start.ms + minutes * 60_000, start.timeZone) : undefined] = times;
    if (!start || !end) return { field: "endTime", description: "or durationMinutes is required" };
    if (attendees.length === 0) {
      const body = {
        subject,
        startDateTime: utcTime(start.ms),
        endDateTime: utcTime(end.ms),
        ...optionsBody(options),
      } satisfies Sparse<OnlineMeeting>;
      return { method: "POST", path: { segments: MEETINGS }, body };
    }
    const body = {
      ...eventBody({ subject, attendees, isOnlineMeeting: true }),
      start: graphTime(start),
      end: graphTime(end),
    };
    return { method: "POST", path: { segments: ["me", "events"] }, prefer: preferEvents(timeZone), body };
  },
  // The event is made and its people are invited: nothing after it may turn that into a failure.
  next(answers, { attendees, options }) {
    if (attendees.length === 0) return undefined;
    const joinUrl = joinUrlOf(answers);
    if (!joinUrl) return answers.length === 1 ? readAgain(answers[0].id) : undefined;
    if (Object.keys(options).length === 0) return undefined;
    // Graph: onlinemeeting-get; a meeting of an event is found by its link alone.
    const path = {
      segments: MEETINGS,
      query: [["$filter", `JoinWebUrl eq '${joinUrl.replaceAll("'", "''")}'`]] as const,
    };
    if (!joinUrlOf(answers.slice(0, -1))) return { method: "GET", path, tolerates: "all" };
    const { id } = answers.at(-1)?.value?.[0] ?? { id: "" };
    if (!isPlainSegment(id)) return undefined;
    return { method: "PATCH", path: { segments: [...MEETINGS, id] }, body: optionsBody(options), tolerates: "all" };
  },
  present(answers, { attendees, options }) {
    const joinUrl = joinUrlOf(answers) ?? "";
    const isSet = attendees.length === 0 || Object.keys(options).length === 0;
    const optionsApplied = isSet || (answers.some(({ value }) => value) && !answers.at(-1)?.value);
    const note = optionsApplied ? "" : "\nThe options could not be set; set them in Teams.";
    return {
      text: `Meeting created: ${joinUrl || "its join link is in Teams"}${note}`,
      structured: { id: answers[0].id, joinUrl, invited: attendees.length, optionsApplied },
    };
  },
});

const MEETINGS = ["me", "onlineMeetings"];
