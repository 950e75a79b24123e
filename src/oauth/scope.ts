import { type GraphScope, isGraphScope, satisfies } from "../graph/scopes.ts";

/** Asked for by habit; they add no access to Graph (`openid` would promise an id_token that we never issue). */
const NEUTRAL_SCOPES = ["openid", "profile", "email", "offline_access"];

/**
 * What a request for scopes comes to (RFC 6749 §3.3). Unknown names are dropped; wider names of older set-up guides
 * (`Mail.ReadWrite`) become the catalogue's narrower one.
 * @param requested as received, or undefined
 * @returns catalogue scopes in catalogue order: none of them when no name is known, undefined when no Graph access was named
 */
export function readScope(
  requested: string | undefined,
  catalogue: readonly GraphScope[],
): readonly GraphScope[] | undefined {
  const names = (requested ?? "").split(" ").filter((name) => name !== "" && !NEUTRAL_SCOPES.includes(name));
  if (names.length === 0) return undefined;
  const narrowed = names.map((name) =>
    (catalogue as readonly string[]).includes(name) ? name : name.replace(/\.ReadWrite$/, ".Read"),
  );
  return catalogue.filter((scope) => narrowed.includes(scope));
}

/** Shorthands for people who write the address by hand. */
const PRESETS: { readonly [name: string]: string | undefined } = {
  full: "",
  minimal: "User.Read",
  email: "Mail.Read Mail.Send",
  calendar: "Calendars.Read Calendars.ReadWrite",
  teams: "ChannelMessage.Send OnlineMeetings.ReadWrite Team.ReadBasic.All Channel.ReadBasic.All",
};

/** `scope_preset` as a `scope`; a name that is none is an unknown scope. */
export function presetScope(preset = "full"): string | undefined {
  return Object.hasOwn(PRESETS, preset) ? PRESETS[preset] : preset;
}

/** What was asked and what Entra gave for it. Entra may grant less; it never widens a grant. */
export function grantedScopes(asked: readonly GraphScope[], entra: readonly string[]): readonly GraphScope[] {
  const given = entra.filter(isGraphScope);
  return asked.filter((scope) => satisfies(given, scope));
}
