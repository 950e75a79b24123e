import { described, Id } from "./schema.ts";

/** Graph: mailFolder, well-known folder names. */
const WELL_KNOWN =
  "archive clutter conflicts conversationhistory deleteditems drafts inbox junkemail localfailures msgfolderroot outbox recoverableitemsdeletions scheduled searchfolders sentitems serverfailures syncissues".split(
    " ",
  );

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

export const Folder = described(Id, "inbox, sent, drafts, archive, junk, trash, a well-known name or a folder id.");

/** Names in any case become Graph's; anything else is an id, which is case-sensitive. */
export function folderSegment(folder: string): string {
  const name = folder.trim().toLowerCase();
  const alias = Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
  return alias ?? (WELL_KNOWN.includes(name) ? name : folder);
}
