import * as v from "valibot";
import { page, Text } from "../graph/answer.ts";
import { nextOf } from "../graph/paging.ts";
import { defineTool, READS } from "./define.ts";
import { described, TeamsId } from "./schema.ts";

const Item = v.object({
  id: v.string(),
  displayName: Text,
  description: Text,
  membershipType: v.nullish(v.string()),
});

/** Graph: a shared channel is `unknownFutureValue` to those who do not ask. */
const PREFER = ["include-unknown-enum-members"];

export const listChannels = defineTool({
  name: "listChannels",
  description: "Lists the person's teams, or with teamId the channels of a team, for sendTeamsMessage.",
  scopes: ["Team.ReadBasic.All", "Channel.ReadBasic.All"],
  annotations: READS,
  input: v.strictObject({ teamId: v.optional(described(TeamsId, "id of a team.")) }),
  answer: page(Item),
  output: v.object({
    channels: v.optional(v.array(v.object({}))),
    teams: v.optional(v.array(v.object({}))),
    hint: v.optional(v.string()),
  }),
  build: ({ teamId }) => ({
    method: "GET",
    // Graph: user-list-joinedteams and channel-list take no $select, $top or $orderby worth having.
    path: { segments: teamId === undefined ? ["me", "joinedTeams"] : ["teams", teamId, "channels"] },
    prefer: PREFER,
  }),
  next: (pages, _args, { follow }) => nextOf(pages, { method: "GET", prefer: PREFER }, follow),
  present(pages, { teamId }) {
    const items = pages.flatMap(({ value }) => value);
    const isCut = pages.at(-1)?.["@odata.nextLink"];
    const shown = teamId === undefined ? { teams: items, hint: "Call again with teamId." } : { channels: items };
    return { structured: { ...shown, ...(isCut && { truncated: true }) } };
  },
});
