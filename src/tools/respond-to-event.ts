import * as v from "valibot";
import { defineTool, WRITES } from "./define.ts";
import { Id, IMMUTABLE_IDS } from "./schema.ts";

export const respondToEvent = defineTool({
  name: "respondToEvent",
  description: "Answers an invitation. The organizer is told at once unless sendResponse is false.",
  scopes: ["Calendars.ReadWrite"],
  annotations: WRITES,
  input: v.strictObject({
    id: Id,
    response: v.picklist(["accept", "tentative", "decline"]),
    comment: v.optional(v.pipe(v.string(), v.maxLength(5000))),
    sendResponse: v.optional(v.boolean(), true),
  }),
  // Graph answers 202 without a body.
  answer: v.unknown(),
  output: v.object({ id: v.string(), response: v.string() }),
  build: ({ id, response, ...body }) => ({
    method: "POST",
    // Graph: event-accept, event-tentativelyaccept, event-decline.
    path: { segments: ["me", "events", id, response === "tentative" ? "tentativelyAccept" : response] },
    prefer: [IMMUTABLE_IDS],
    body,
  }),
  present: (_answers, { id, response }) => ({ text: `Responded: ${response}`, structured: { id, response } }),
});
