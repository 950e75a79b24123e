import * as v from "valibot";
import { Addresses, MAX_RECIPIENTS, recipient } from "./address.ts";
import { AttachmentInput, checkAttachments } from "./attachment.ts";
import { defineTool, WRITES } from "./define.ts";
import { ContentType, line, longText } from "./schema.ts";

const LISTS = ["to", "cc", "bcc"] as const;

export const sendEmail = defineTool({
  name: "sendEmail",
  title: "Send an email",
  description:
    "Sends an email at once; it cannot be recalled. Confirm with the person first. At most 500 recipients, 3 MB of attachments.",
  scopes: ["Mail.Send"],
  annotations: WRITES,
  addressLists: LISTS,
  input: v.strictObject({
    to: v.pipe(Addresses, v.minLength(1)),
    cc: v.optional(Addresses, []),
    bcc: v.optional(Addresses, []),
    subject: line(255),
    body: longText(150_000),
    contentType: v.optional(ContentType, "html"),
    importance: v.optional(v.picklist(["low", "normal", "high"]), "normal"),
    saveToSentItems: v.optional(v.boolean(), true),
    attachments: v.optional(v.array(AttachmentInput), []),
  }),
  // Graph: user-sendmail answers 202 without a body.
  answer: v.unknown(),
  output: v.object({ sent: v.boolean(), recipients: v.number() }),
  build(args) {
    if (countRecipients(args) > MAX_RECIPIENTS) {
      return { field: "to", description: `with cc and bcc may hold at most ${MAX_RECIPIENTS} addresses` };
    }
    const attachments = args.attachments.map((file) => ({ "@odata.type": "#microsoft.graph.fileAttachment", ...file }));
    const body = {
      message: {
        subject: args.subject,
        body: { contentType: args.contentType, content: args.body },
        toRecipients: args.to.map((address) => recipient(address)),
        ccRecipients: args.cc.map((address) => recipient(address)),
        bccRecipients: args.bcc.map((address) => recipient(address)),
        importance: args.importance,
        ...(attachments.length > 0 && { attachments }),
      },
      saveToSentItems: args.saveToSentItems,
    };
    return checkAttachments(args.attachments, body) ?? { method: "POST", path: { segments: ["me", "sendMail"] }, body };
  },
  present: (_answers, args) => ({
    text: `Email sent successfully to ${args.to.join(", ")}`,
    structured: { sent: true, recipients: countRecipients(args) },
  }),
});

function countRecipients(args: { readonly [List in (typeof LISTS)[number]]: readonly string[] }): number {
  return LISTS.reduce((count, name) => count + args[name].length, 0);
}
