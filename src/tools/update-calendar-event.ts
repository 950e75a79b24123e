import * as v from "valibot";
import { Text } from "../graph/answer.ts";
import { defineTool, WRITES } from "./define.ts";
import {
  acceptEvent,
  EVENT_INPUT,
  eventBody,
  eventTimes,
  joinUrlOf,
  preferEvents,
  Written,
  WrittenOutput,
} from "./event.ts";
import { htmlOf } from "./html-text.ts";
import { Id } from "./schema.ts";

const Input = v.strictObject({ id: Id, ...EVENT_INPUT });
type Arguments = v.InferOutput<typeof Input>;

export const updateCalendarEvent = defineTool({
  name: "updateCalendarEvent",
  title: "Change a calendar event",
  description:
    "Changes only the given fields of an event; attendees replaces the whole list. Attendees are told at once: confirm with the person first.",
  scopes: ["Calendars.ReadWrite"],
  annotations: WRITES,
  accept: acceptEvent,
  input: Input,
  answer: v.nullish(v.object({ ...Written.wrapped.entries, body: v.nullish(v.object({ content: Text })) }), {}),
  output: WrittenOutput,
  build(args) {
    const times = eventTimes(args);
    if (!times.ok) return times.error;
    const changes = { ...eventBody(args), ...times.value };
    if (Object.keys(changes).length === 0) return { field: "id", description: "stands alone; give a field to change" };
    if (args.body === undefined) return patch(args, changes);
    return {
      method: "GET",
      path: { segments: ["me", "events", args.id], query: [["$select", "id,body,onlineMeeting"]] },
      prefer: ['outlook.body-content-type="html"'],
    };
  },
  next(answers, args) {
    const [{ body }] = answers;
    const times = eventTimes(args);
    if (args.body === undefined || answers.length > 1 || !times.ok) return undefined;
    const joinUrl = joinUrlOf(answers);
    const changes = { ...eventBody(args), ...times.value };
    if (joinUrl === undefined) return patch(args, changes);
    const content = htmlOf(args.body, args.contentType) + meetingBlock(body?.content ?? "", joinUrl);
    return patch(args, { ...changes, body: { contentType: "html", content } });
  },
  present(answers, { id }) {
    const joinUrl = joinUrlOf(answers);
    return {
      text: `Event changed: ${id}`,
      structured: { id, webLink: answers.at(-1)?.webLink ?? "", ...(joinUrl !== undefined && { joinUrl }) },
    };
  },
});

function patch({ id, timeZone }: Arguments, body: object) {
  return {
    method: "PATCH" as const,
    path: { segments: ["me", "events", id] },
    prefer: preferEvents(timeZone),
    body,
  };
}

/** Graph: event-update. A body without the block that Teams put into it ends the online meeting. */
function meetingBlock(html: string, joinUrl: string): string {
  // It begins with the element that holds a line of underscores, and reaches to the end.
  const line = html.search(/_{20}/);
  const block = line < 0 ? "" : html.slice(Math.max(0, html.lastIndexOf("<", line)));
  return block.replaceAll("&amp;", "&").includes(joinUrl) ? block : `<p>${htmlOf(joinUrl, "text")}</p>`;
}
