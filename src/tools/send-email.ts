import * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import { hasControlCharacters } from "../core/text.ts";
import { Addresses, acceptAddresses, MAX_RECIPIENTS, recipient } from "./address.ts";
import { defineTool, WRITES } from "./define.ts";

/** A line break in a subject would be a header of its own in some mail systems. */
const isOneLine = (text: string) => !hasControlCharacters(text);

const Recipients = v.strictObject({
  to: v.pipe(Addresses, v.minLength(1, "must name at least one address"), v.description("Recipients.")),
  cc: v.optional(Addresses, []),
  bcc: v.optional(Addresses, []),
  subject: v.pipe(v.string(), v.minLength(1), v.maxLength(255), v.check(isOneLine, "must be one line")),
  body: v.pipe(v.string(), v.minLength(1), v.maxLength(150_000)),
  contentType: v.optional(v.pipe(v.picklist(["html", "text"]), v.description("How body is written.")), "html"),
  importance: v.optional(v.picklist(["low", "normal", "high"]), "normal"),
  saveToSentItems: v.optional(v.boolean(), true),
});

export const sendEmail = defineTool({
  name: "sendEmail",
  title: "Send an email",
  description:
    "Sends an email from the signed-in person's mailbox at once; it cannot be recalled. Confirm recipients and text with the person first. At most 500 recipients.",
  scopes: ["Mail.Send"],
  annotations: WRITES,
  accept: (raw) => acceptLists(raw, ["to", "cc", "bcc"]),
  input: v.pipe(
    Recipients,
    v.forward(
      v.partialCheck(
        [["to"], ["cc"], ["bcc"]],
        ({ to, cc, bcc }) => to.length + cc.length + bcc.length <= MAX_RECIPIENTS,
        `to, cc and bcc may hold at most ${MAX_RECIPIENTS} addresses together`,
      ),
      ["to"],
    ),
  ),
  // Graph: user-sendmail answers 202 without a body.
  answer: v.unknown(),
  output: v.object({ sent: v.boolean(), recipients: v.number() }),
  build: (args) => ({
    method: "POST",
    path: { segments: ["me", "sendMail"] },
    body: {
      message: {
        subject: args.subject,
        body: { contentType: args.contentType, content: args.body },
        toRecipients: args.to.map(recipient),
        ccRecipients: args.cc.map(recipient),
        bccRecipients: args.bcc.map(recipient),
        importance: args.importance,
      },
      saveToSentItems: args.saveToSentItems,
    },
  }),
  present: (_answer, args) => ({
    text: `Email sent successfully to ${args.to.join(", ")}`,
    structured: { sent: true, recipients: args.to.length + args.cc.length + args.bcc.length },
  }),
});

function acceptLists(raw: JsonObject, names: readonly string[]): JsonObject {
  const given = names.filter((name) => name in raw);
  return { ...raw, ...Object.fromEntries(given.map((name) => [name, acceptAddresses(raw[name])])) };
}
