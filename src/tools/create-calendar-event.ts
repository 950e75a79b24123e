import * as v from "valibot";
import { defineTool, WRITES } from "./define.ts";
import {
  acceptEvent,
  EVENT_INPUT,
  eventBody,
  eventTimes,
  joinUrlOf,
  preferEvents,
  readAgain,
  Written,
  WrittenOutput,
} from "./event.ts";
import { line } from "./schema.ts";
import { Time } from "./time.ts";

export const createCalendarEvent = defineTool({
  name: "createCalendarEvent",
  title: "Create a calendar event",
  description:
    "Creates an event in the person's calendar. Attendees are invited by email at once, so confirm with the person first. isOnlineMeeting adds a Teams link.",
  scopes: ["Calendars.ReadWrite"],
  annotations: WRITES,
  usesCallKey: true,
  accept: acceptEvent,
  input: v.strictObject({ ...EVENT_INPUT, subject: line(255), startDateTime: Time, endDateTime: Time }),
  answer: Written,
  output: WrittenOutput,
  build(args, { callKey }) {
    const times = eventTimes(args);
    if (!times.ok) return times.error;
    return {
      method: "POST",
      path: { segments: ["me", "events"] },
      prefer: preferEvents(args.timeZone),
      // Graph: event, transactionId. The same request again makes no second event.
      body: { ...eventBody(args), ...times.value, transactionId: callKey },
      isIdempotent: true,
    };
  },
  next: (events, args) =>
    args.isOnlineMeeting === true && events.length === 1 && joinUrlOf(events) === undefined
      ? readAgain(events[0].id)
      : undefined,
  present(events) {
    const [{ id, webLink }] = events;
    const joinUrl = joinUrlOf(events);
    return {
      text: `Event created: ${id}${joinUrl === undefined ? "" : `\nJoin link: ${joinUrl}`}`,
      structured: { id, webLink, ...(joinUrl !== undefined && { joinUrl }) },
    };
  },
});
