import * as v from "valibot";
import { list, page, select, Text } from "../graph/answer.ts";
import { isAddress } from "./address.ts";
import { defineTool, READS } from "./define.ts";
import { described, integer, NextPageToken, PageToken, words } from "./schema.ts";

const Contact = v.object({
  id: v.string(),
  displayName: Text,
  givenName: Text,
  surname: Text,
  emailAddresses: list(v.object({ address: Text, name: Text })),
  businessPhones: list(v.string()),
  mobilePhone: Text,
  companyName: Text,
  jobTitle: Text,
  department: Text,
});

export const getContacts = defineTool({
  name: "getContacts",
  description: "Lists the person's contacts, or searches them.",
  scopes: ["Contacts.Read"],
  annotations: READS,
  input: v.strictObject({
    count: v.optional(integer(1, 100), 50),
    search: v.optional(described(words(320), "Start of a name, or a full address.")),
    pageToken: PageToken,
  }),
  answer: page(Contact),
  output: v.object({ contacts: v.array(Contact), nextPageToken: NextPageToken }),
  list: "contacts",
  build: ({ count, search }, { page }) => ({
    method: "GET",
    path: page ?? {
      segments: ["me", "contacts"],
      query: [
        ["$top", String(count)],
        search === undefined ? ["$orderby", "displayName"] : ["$filter", filterOf(search.trim())],
        select(Contact),
      ],
    },
  }),
  present: ([found]) => ({ structured: { contacts: found.value }, nextLink: found["@odata.nextLink"] }),
});

/** Graph: user-list-contacts. OData doubles a quote inside a text; an address is found as a whole only. */
function filterOf(search: string): string {
  const text = `'${search.replaceAll("'", "''")}'`;
  if (isAddress(search)) return `emailAddresses/any(a:a/address eq ${text})`;
  return ["displayName", "givenName", "surname"].map((name) => `startswith(${name},${text})`).join(" or ");
}
