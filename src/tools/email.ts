import * as v from "valibot";
import { clipText } from "../core/text.ts";
import { Flag, list, page, Recipient, Text } from "../graph/answer.ts";
import type { Answers } from "./define.ts";
import { IMMUTABLE_IDS, integer, NextPageToken, PageToken } from "./schema.ts";

/** HTML costs a model ten times the tokens; ids that survive a move can be used later. */
export const preferBodies = (format: "text" | "html") => [`outlook.body-content-type="${format}"`, IMMUTABLE_IDS];

const PLAIN = {
  id: v.string(),
  conversationId: Text,
  subject: Text,
  toRecipients: list(Recipient),
  receivedDateTime: Text,
  isRead: Flag,
  hasAttachments: Flag,
  importance: Text,
  bodyPreview: Text,
  webLink: Text,
};

/** Graph: message, as far as the tools show it. */
export const Message = v.object({
  ...PLAIN,
  // Drafts have no sender yet.
  from: v.nullish(Recipient),
  sender: v.nullish(Recipient),
  body: v.nullish(v.object({ content: Text }), {}),
});

export const Email = v.object({
  ...PLAIN,
  from: v.nullish(Recipient),
  sender: v.string(),
  body: v.string(),
  bodyTruncated: v.optional(v.boolean()),
});

export const EmailPage = page(Message);
export const EmailsOutput = v.object({ emails: v.array(Email), nextPageToken: NextPageToken });

/** Arguments of every tool that lists mail. */
export const LISTING = {
  count: v.optional(integer(1, 50), 10),
  maxBodyChars: v.optional(integer(0, 20_000), 2000),
  pageToken: PageToken,
};

/** A page of mail, bodies clipped. Pure. */
export function presentEmails(
  [found]: Answers<v.InferOutput<typeof EmailPage>>,
  args: { readonly maxBodyChars: number },
) {
  const emails = found.value.map((message) => presentEmail(message, args.maxBodyChars));
  return { structured: { emails }, nextLink: found["@odata.nextLink"] };
}

export function presentEmail<More extends v.InferOutput<typeof Message>>(message: More, maxBodyChars: number) {
  const { from, sender, body, ...plain } = message;
  const { name, address } = (from ?? sender)?.emailAddress ?? { name: "", address: "" };
  return {
    ...plain,
    from: from ?? null,
    sender: name === "" || name === address ? address : `${name} <${address}>`,
    body: clipText(body.content, maxBodyChars),
    ...(body.content.length > maxBodyChars && { bodyTruncated: true }),
  };
}
