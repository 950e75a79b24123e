/** Delegated Graph permissions that this product knows. Graph: permissions-reference */
export const GRAPH_SCOPES = [
  "User.Read",
  "Mail.Read",
  "Mail.Send",
  "Calendars.Read",
  "Calendars.ReadWrite",
  "Contacts.Read",
  "ChannelMessage.Send",
  "OnlineMeetings.ReadWrite",
  "Team.ReadBasic.All",
  "Channel.ReadBasic.All",
] as const;

export type GraphScope = (typeof GRAPH_SCOPES)[number];

export function isGraphScope(text: string): text is GraphScope {
  return (GRAPH_SCOPES as readonly string[]).includes(text);
}

/** `X.ReadWrite` includes `X.Read`; everything else includes only itself. */
export function satisfies(granted: readonly GraphScope[], needed: GraphScope): boolean {
  return granted.some((scope) => scope === needed || scope === needed.replace(/\.Read$/, ".ReadWrite"));
}

export function missingScopes(granted: readonly GraphScope[], needed: readonly GraphScope[]): GraphScope[] {
  return needed.filter((scope) => !satisfies(granted, scope));
}
