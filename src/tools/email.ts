import * as v from "valibot";
import { clipText } from "../core/text.ts";
import type { Presented } from "./define.ts";
import { NextPageToken } from "./page-token.ts";

/** Members of a message that the tools show. Graph: message */
export const EMAIL_SELECT = [
  "id",
  "conversationId",
  "subject",
  "from",
  "sender",
  "toRecipients",
  "receivedDateTime",
  "isRead",
  "hasAttachments",
  "importance",
  "bodyPreview",
  "body",
  "webLink",
].join(",");

/** HTML costs a model ten times the tokens; ids that survive a move can be used later. */
export const TEXT_BODIES = ['outlook.body-content-type="text"', 'IdType="ImmutableId"'];

const Text = v.optional(v.nullish(v.string(), ""), "");

const Recipient = v.object({
  emailAddress: v.optional(v.nullish(v.object({ name: Text, address: Text }), { name: "", address: "" }), {
    name: "",
    address: "",
  }),
});

const Message = v.object({
  id: v.string(),
  conversationId: Text,
  subject: Text,
  // Drafts have no sender yet.
  from: v.nullish(Recipient),
  sender: v.nullish(Recipient),
  toRecipients: v.nullish(v.array(Recipient), []),
  receivedDateTime: Text,
  isRead: v.nullish(v.boolean(), false),
  hasAttachments: v.nullish(v.boolean(), false),
  importance: v.nullish(v.string(), "normal"),
  bodyPreview: Text,
  body: v.nullish(v.object({ content: Text })),
  webLink: Text,
});

export const EmailPage = v.object({ value: v.array(Message), "@odata.nextLink": v.nullish(v.string()) });

const RecipientOutput = v.object({ emailAddress: v.object({ name: v.string(), address: v.string() }) });

const EmailOutput = v.object({
  id: v.string(),
  conversationId: v.string(),
  subject: v.string(),
  from: v.nullable(RecipientOutput),
  sender: v.string(),
  toRecipients: v.array(RecipientOutput),
  receivedDateTime: v.string(),
  isRead: v.boolean(),
  hasAttachments: v.boolean(),
  importance: v.string(),
  bodyPreview: v.string(),
  body: v.string(),
  bodyTruncated: v.optional(v.boolean()),
  webLink: v.string(),
});

export const EmailsOutput = v.object({ emails: v.array(EmailOutput), nextPageToken: NextPageToken });

/** A page of mail, bodies clipped. Pure. */
export function presentEmails(
  page: v.InferOutput<typeof EmailPage>,
  maxBodyChars: number,
): Presented<v.InferOutput<typeof EmailsOutput>> {
  const emails = page.value.map((message) => presentEmail(message, maxBodyChars));
  return { text: emails, structured: { emails }, nextLink: page["@odata.nextLink"] ?? undefined };
}

function presentEmail(message: v.InferOutput<typeof Message>, maxBodyChars: number): v.InferOutput<typeof EmailOutput> {
  const { from, sender, body, ...plain } = message;
  const content = body?.content ?? "";
  return {
    ...plain,
    from: from ?? null,
    sender: describeSender(from ?? sender ?? null),
    body: clipText(content, maxBodyChars),
    ...(content.length > maxBodyChars ? { bodyTruncated: true } : {}),
  };
}

function describeSender(recipient: v.InferOutput<typeof Recipient> | null): string {
  const { name = "", address = "" } = recipient?.emailAddress ?? {};
  return name === "" || name === address ? address : `${name} <${address}>`;
}
