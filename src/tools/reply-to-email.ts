import * as v from "valibot";
import { defineTool, WRITES } from "./define.ts";
import { htmlOf } from "./html-text.ts";
import { Id, IMMUTABLE_IDS, longText } from "./schema.ts";

export const replyToEmail = defineTool({
  name: "replyToEmail",
  description:
    "Replies at once to the sender, or with replyAll to everybody; it cannot be recalled. Confirm with the person first.",
  scopes: ["Mail.Send"],
  annotations: WRITES,
  input: v.strictObject({ id: Id, body: longText(150_000), replyAll: v.optional(v.boolean(), false) }),
  // Graph: message-reply answers 202 without a body.
  answer: v.unknown(),
  output: v.object({ sent: v.boolean() }),
  build: ({ id, body, replyAll }) => ({
    method: "POST",
    path: { segments: ["me", "messages", id, replyAll ? "replyAll" : "reply"] },
    prefer: [IMMUTABLE_IDS],
    // Graph: a comment stands above the quoted mail, and its lines only survive as HTML.
    body: { comment: htmlOf(body) },
  }),
  present: () => ({ text: "Reply sent", structured: { sent: true } }),
});
