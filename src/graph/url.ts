import { err, ok, type Result } from "../core/result.ts";
import { hasControlCharacters } from "../core/text.ts";

/**
 * A place in Graph, relative to the version: segments as they are meant, encoded here and nowhere else.
 * A `link` is what Graph itself gave for the next page, already checked and reduced to path and query.
 */
export type GraphPath =
  | { readonly segments: readonly string[]; readonly query?: readonly (readonly [name: string, value: string])[] }
  | { readonly link: string };

/** Longer than any id of Outlook or Teams. */
const MAX_SEGMENT_LENGTH = 1024;

/** Outlook's ids are long base64, which may hold a slash: encoded it separates nothing, and without dots nothing climbs. */
const OUTLOOK_ID = /^[A-Za-z0-9+/_-]{40,}={0,2}$/;

/** Whether a segment leaves the path it stands in as it is. */
export function isSafeSegment(segment: string): boolean {
  if (segment === "" || segment === "." || segment === ".." || segment.length > MAX_SEGMENT_LENGTH) return false;
  // Half a surrogate pair cannot be encoded.
  if (!segment.isWellFormed()) return false;
  return OUTLOOK_ID.test(segment) || !(/[/\\?#%]/.test(segment) || hasControlCharacters(segment));
}

/**
 * Path and query with the version in front, such as `/v1.0/me/messages?%24top=10`.
 * @throws when a segment is unsafe: a tool has to refuse it as input first
 */
export function writeGraphPath(version: string, path: GraphPath): string {
  if ("link" in path) return path.link;
  const unsafe = path.segments.find((segment) => !isSafeSegment(segment));
  if (unsafe !== undefined) throw new Error("unsafe segment in a Graph path");
  // A fixed function such as supportedTimeZones(...) is never a segment here, so everything is encoded.
  const segments = path.segments.map(encodeURIComponent).join("/");
  const query = (path.query ?? [])
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join("&");
  return `/${version}/${segments}${query === "" ? "" : `?${query}`}`;
}

/**
 * Follows `@odata.nextLink` only within Graph: an answer must not lead the person's token anywhere else.
 * @returns path and query
 */
export function readNextLink(
  nextLink: string,
  graphOrigin: string,
  version: string,
): Result<GraphPath, "next_link_foreign"> {
  if (!URL.canParse(nextLink)) return err("next_link_foreign");
  const url = new URL(nextLink);
  const isOurs =
    url.origin === graphOrigin && url.pathname.startsWith(`/${version}/`) && url.username === "" && url.password === "";
  return isOurs ? ok({ link: url.pathname + url.search }) : err("next_link_foreign");
}
