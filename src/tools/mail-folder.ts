import { described, Id } from "./schema.ts";

/** Graph: mailFolder, well-known names that people use; what else they call them stands before `=`. */
const FOLDERS =
  "inbox drafts sentitems deleteditems junkemail archive outbox draft=drafts sent=sentitems trash=deleteditems deleted=deleteditems spam=junkemail junk=junkemail".split(
    " ",
  );

export const Folder = described(Id, "inbox, sent, drafts, archive, junk, trash or an id.");

/** Names in any case become Graph's; anything else is an id, which is case-sensitive. */
export function folderSegment(folder: string): string {
  const wanted = folder.toLowerCase().replaceAll(" ", "");
  for (const pair of FOLDERS) {
    const [name = "", meant = name] = pair.split("=");
    if (name === wanted) return meant;
  }
  return folder;
}
