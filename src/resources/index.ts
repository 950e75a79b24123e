import * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import { titleOf } from "../core/text.ts";
import { Flag, page, select, Text } from "../graph/answer.ts";
import type { FailureType } from "../graph/failure.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { GraphPath } from "../graph/url.ts";

/** What a client may put into its context without calling a tool. Reading one is a GET. */
export interface Resource {
  readonly name: string;
  readonly description: string;
  readonly scopes: readonly GraphScope[];
  readonly path: GraphPath;
  /** Failures that mean that there is nothing. */
  readonly tolerates?: readonly FailureType[];
  readonly answer: v.GenericSchema;
  /** The member of `present`'s result that holds a page's items, where there are pages. */
  readonly list?: string;
  readonly note?: string;
}

const Profile = v.object({
  id: v.string(),
  displayName: Text,
  mail: v.nullish(v.string(), null),
  userPrincipalName: Text,
  jobTitle: v.nullish(v.string(), null),
  department: v.nullish(v.string(), null),
  companyName: v.nullish(v.string(), null),
});

const Calendar = v.object({
  id: v.string(),
  name: Text,
  color: Text,
  canEdit: Flag,
  isDefaultCalendar: Flag,
  owner: v.nullish(v.object({ name: Text, address: Text })),
});

const Team = v.object({
  id: v.string(),
  displayName: Text,
  description: v.nullish(v.string(), null),
  webUrl: v.nullish(v.string(), null),
});

export const RESOURCES: readonly Resource[] = [
  {
    name: "profile",
    description: "The signed-in person.",
    scopes: ["User.Read"],
    path: { segments: ["me"], query: [select(Profile)] },
    answer: Profile,
  },
  {
    name: "calendars",
    description: "The person's calendars.",
    scopes: ["Calendars.Read"],
    path: { segments: ["me", "calendars"], query: [["$top", "50"], select(Calendar)] },
    answer: page(Calendar),
    list: "calendars",
  },
  {
    name: "teams",
    description: "The person's teams.",
    scopes: ["Team.ReadBasic.All"],
    // Graph: user-list-joinedteams takes no OData options.
    path: { segments: ["me", "joinedTeams"] },
    // Personal accounts have no Teams.
    tolerates: ["graph_forbidden", "graph_bad_request"],
    answer: v.optional(page(Team)),
    list: "teams",
    note: "This account has no Teams, or no permission for it.",
  },
];

export const uriOf = ({ name }: { readonly name: string }): string => `microsoft://${name}`;

/** MCP Resource. */
export function describeResource(resource: Resource): JsonObject {
  const { name, description } = resource;
  return { uri: uriOf(resource), name, title: titleOf(name), description, mimeType: "application/json" };
}

/** What the answers come to. Pure. */
export function presentResource({ list, note }: Resource, answers: readonly unknown[]): JsonObject {
  // Each answer has passed `answer`: an object, or where there is a list a page, or undefined for none at all.
  if (list === undefined) return answers[0] as JsonObject;
  const pages = answers as readonly ({ readonly value: readonly unknown[] } | undefined)[];
  return { [list]: pages.flatMap((page) => page?.value ?? []), note: pages[0] ? undefined : note };
}
