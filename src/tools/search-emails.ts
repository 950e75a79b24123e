import * as v from "valibot";
import { select } from "../graph/answer.ts";
import { defineTool, READS } from "./define.ts";
import { EmailPage, EmailsOutput, LISTING, Message, preferBodies, presentEmails } from "./email.ts";
import { compileKql, isBalanced, quoteSearch } from "./kql.ts";
import { Folder, folderSegment } from "./mail-folder.ts";
import { described, words } from "./schema.ts";
import { readTimes } from "./time.ts";

const DAY_WANTED = "must be a date such as 2026-03-02";
// The pattern of `isoDate` lets the 30th of February pass.
const isDay = (text: string) => !("field" in readTimes([text], "UTC", "shown"));
const Day = v.optional(v.pipe(v.string(), v.isoDate(DAY_WANTED), v.check(isDay, DAY_WANTED)));

export const searchEmails = defineTool({
  name: "searchEmails",
  description:
    'Searches all mail or one folder, newest first, else as getEmails. query is KQL: subject:"q3 plan" AND from:ana.',
  scopes: ["Mail.Read"],
  annotations: READS,
  input: v.strictObject({
    query: v.optional(v.pipe(v.string(), v.maxLength(1000), v.check(isBalanced, "has an open quote or parenthesis"))),
    ...LISTING,
    folder: v.optional(Folder),
    from: v.optional(words(320)),
    to: v.optional(words(320)),
    after: described(Day, "First day."),
    before: described(Day, "Day after the last."),
    hasAttachments: v.optional(v.boolean()),
  }),
  answer: EmailPage,
  output: EmailsOutput,
  list: "emails",
  build(args, { page }) {
    const kql = compileKql(args);
    if (kql === "" && page === undefined) return { field: "query", description: "or a filter is required" };
    const folder = args.folder === undefined ? [] : ["mailFolders", folderSegment(args.folder)];
    return {
      method: "GET",
      path: page ?? {
        segments: ["me", ...folder, "messages"],
        // Graph: $search takes neither $filter nor $orderby, $skip or $count.
        query: [["$search", quoteSearch(kql)], ["$top", String(args.count)], select(Message)],
      },
      prefer: preferBodies("text"),
    };
  },
  present: presentEmails,
});
