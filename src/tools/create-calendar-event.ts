import * as v from "valibot";
import { defineTool, WRITES } from "./define.ts";
import {
  EVENT_INPUT,
  EVENT_SPELLINGS,
  eventBody,
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
  description:
    "Creates an event. Attendees are invited at once: confirm with the person first. isOnlineMeeting adds a Teams link.",
  scopes: ["Calendars.ReadWrite"],
  annotations: WRITES,
  usesCallKey: true,
  ...EVENT_SPELLINGS,
  input: v.strictObject({ ...EVENT_INPUT, subject: line(255), startDateTime: Time, endDateTime: Time }),
  answer: Written,
  output: WrittenOutput,
  build(args, { callKey }) {
    const body = eventBody(args);
    if ("field" in body) return body;
    return {
      method: "POST",
      path: { segments: ["me", "events"] },
      prefer: preferEvents(args.timeZone),
      // Graph: event, transactionId. The same request again makes no second event.
      body: { ...body, transactionId: callKey },
      isIdempotent: true,
    };
  },
  next: (events, args) =>
    args.isOnlineMeeting && events.length === 1 && !joinUrlOf(events) ? readAgain(events[0].id) : undefined,
  present(events) {
    const [{ id, webLink }] = events;
    const joinUrl = joinUrlOf(events);
    return {
      text: `Event created: ${id}${joinUrl ? `\nJoin link: ${joinUrl}` : ""}`,
      structured: { id, webLink, joinUrl },
    };
  },
});
