import * as v from "valibot";
import { defineTool, WRITES } from "./define.ts";
import { EVENT_INPUT, EVENT_SPELLINGS, eventBody, joinUrlOf, preferEvents, Written, WrittenOutput } from "./event.ts";
import { htmlOf } from "./html-text.ts";
import { Id } from "./schema.ts";

export const updateCalendarEvent = defineTool({
  name: "updateCalendarEvent",
  description:
    "Changes the given fields of an event; attendees replaces the list. Attendees are told at once: confirm with the person first.",
  scopes: ["Calendars.ReadWrite"],
  annotations: WRITES,
  ...EVENT_SPELLINGS,
  input: v.strictObject({ id: Id, ...EVENT_INPUT }),
  answer: Written,
  output: WrittenOutput,
  build({ id, ...args }) {
    const body = eventBody(args);
    if ("field" in body) return body;
    if (JSON.stringify(body) === "{}") return { field: "id", description: "needs a field to change" };
    const path = { segments: ["me", "events", id] };
    if (args.body === undefined) return { method: "PATCH", path, prefer: preferEvents(args.timeZone), body };
    return {
      method: "GET",
      path: { ...path, query: [["$select", "id,body,onlineMeeting"]] },
      prefer: ['outlook.body-content-type="html"'],
    };
  },
  next(answers, { id, ...args }) {
    const body = eventBody(args);
    if (args.body === undefined || answers.length > 1 || "field" in body) return undefined;
    const joinUrl = joinUrlOf(answers);
    if (joinUrl) {
      const content = htmlOf(args.body, args.contentType) + meetingBlock(answers[0].body.content, joinUrl);
      body.body = { contentType: "html", content };
    }
    return { method: "PATCH", path: { segments: ["me", "events", id] }, prefer: preferEvents(args.timeZone), body };
  },
  present: (answers, { id }) => ({
    text: `Event changed: ${id}`,
    structured: { id, webLink: answers.at(-1)?.webLink ?? "", joinUrl: joinUrlOf(answers) },
  }),
});

/** Graph: event-update. A body without the block that Teams put into it ends the online meeting. */
function meetingBlock(html: string, joinUrl: string): string {
  // It begins with the element that holds a line of underscores, and reaches to the end.
  const line = html.search(/_{20}/);
  const block = line < 0 ? "" : html.slice(Math.max(0, html.lastIndexOf("<", line)));
  return block.replaceAll("&amp;", "&").includes(joinUrl) ? block : `<p>${htmlOf(joinUrl, "text")}</p>`;
}
