import * as v from "valibot";
import { Addresses, MAX_RECIPIENTS } from "./address.ts";
import { AttachmentInput, checkAttachments } from "./attachment.ts";
import { defineTool, WRITES } from "./define.ts";
import { ContentType, line, longText } from "./schema.ts";

export const sendEmail = defineTool({
  name: "sendEmail",
  description:
    "Sends an email at once; it cannot be recalled. Confirm with the person first. At most 500 recipients, 3 MB of attachments.",
  scopes: ["Mail.Send"],
  annotations: WRITES,
  addressLists: ["to", "cc", "bcc"],
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
  build({ to, cc, bcc, subject, body: content, contentType, importance, saveToSentItems, attachments: files }) {
    if ([to, cc, bcc].flat().length > MAX_RECIPIENTS)
      return { field: "to", description: `with cc and bcc may hold at most ${MAX_RECIPIENTS} addresses` };
    const attachments = files.map((file) => ({ "@odata.type": "#microsoft.graph.fileAttachment", ...file }));
    const message = {
      subject,
      body: { contentType, content },
      toRecipients: recipients(to),
      ccRecipients: recipients(cc),
      bccRecipients: recipients(bcc),
      importance,
      ...(files.length > 0 && { attachments }),
    };
    const body = { message, saveToSentItems };
    return checkAttachments(files, body) ?? { method: "POST", path: { segments: ["me", "sendMail"] }, body };
  },
  present: (_answers, { to, cc, bcc }) => ({
    text: `Email sent successfully to ${to.join(", ")}`,
    structured: { sent: true, recipients: [to, cc, bcc].flat().length },
  }),
});

/** Graph: recipient. */
const recipients = (addresses: readonly string[]) => addresses.map((address) => ({ emailAddress: { address } }));
