import { described, Id } from "./schema.ts";

/** Graph: mailFolder; the well-known names that people use. */
const WELL_KNOWN = "inbox drafts sentitems deleteditems junkemail archive outbox".split(" ");

/** What people call them. */
const ALIASES: { readonly [name: string]: string } = {
  sent: "sentitems",
  "sent items": "sentitems",
  draft: "drafts",
  trash: "deleteditems",
  deleted: "deleteditems",
  spam: "junkemail",
  junk: "junkemail",
};

export const Folder = described(Id, "inbox, sent, drafts, archive, junk, trash or an id.");

/** Names in any case become Graph's; anything else is an id, which is case-sensitive. */
export function folderSegment(folder: string): string {
  const name = folder.trim().toLowerCase();
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  return alias ?? (WELL_KNOWN.includes(name) ? name : folder);
}
