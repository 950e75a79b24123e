import type { ChatMessage } from "@microsoft/microsoft-graph-types";
import * as v from "valibot";
import { Text } from "../graph/answer.ts";
import { defineTool, WRITES } from "./define.ts";
import { htmlOf } from "./html-text.ts";
import { ContentType, described, line, longText, TeamsId } from "./schema.ts";

export const sendTeamsMessage = defineTool({
  name: "sendTeamsMessage",
  description:
    "Posts a message to a Teams channel at once. Confirm with the person first. Ids come from listChannels. A mention stands at @displayName.",
  scopes: ["ChannelMessage.Send"],
  annotations: WRITES,
  input: v.strictObject({
    teamId: TeamsId,
    channelId: TeamsId,
    message: longText(28_000),
    contentType: v.optional(ContentType),
    mentions: v.optional(
      v.pipe(
        v.array(
          v.strictObject({
            id: described(v.pipe(v.string(), v.uuid("must be a GUID")), "Entra object id."),
            displayName: line(256),
          }),
        ),
        v.maxLength(50),
      ),
      [],
    ),
  }),
  answer: v.nullish(v.object({ id: Text, webUrl: Text }), {}),
  output: v.object({ id: v.string(), webUrl: v.string() }),
  hints: {
    graph_not_found: "Call listChannels for teamId and channelId (19:...@thread.tacv2).",
  },
  build: ({ teamId, channelId, message, contentType, mentions }) => ({
    method: "POST",
    path: { segments: ["teams", teamId, "channels", channelId, "messages"] },
    body: {
      body: {
        contentType: "html",
        content: mentions
          .map(({ displayName }, number) => ({ displayName, number }))
          // A name may begin with another one.
          .sort((a, b) => b.displayName.length - a.displayName.length)
          .reduce(insertMention, htmlOf(message, contentType)),
      },
      ...(mentions.length > 0 && {
        // Graph: chatmessage-post; every tag has an entry of the same number and text.
        mentions: mentions.map(({ id, displayName }, number) => ({
          id: number,
          mentionText: displayName,
          mentioned: { user: { id, displayName, userIdentityType: "aadUser" } },
        })),
      }),
    } satisfies ChatMessage,
  }),
  present: ([message]) => ({ text: "Teams message sent", structured: message }),
});

/** Where its tag stands already, at the first `@name` between tags, else in front. */
function insertMention(
  html: string,
  { displayName, number }: { readonly displayName: string; readonly number: number },
) {
  const name = htmlOf(displayName, "text");
  const tag = `<at id="${number}">${name}</at>`;
  const own = new RegExp(`<at id="${number}">.*?</at>`, "s");
  if (own.test(html)) return html.replace(own, () => tag);
  const parts = html.split(/(<[^<>]*>)/);
  // Every other part is a tag.
  const place = parts.find((part, at) => at % 2 === 0 && part.includes(`@${name}`));
  if (place === undefined) return `${tag} ${html}`;
  return parts
    .with(
      parts.indexOf(place),
      place.replace(`@${name}`, () => tag),
    )
    .join("");
}
