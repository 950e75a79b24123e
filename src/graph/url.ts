import { hasControlCharacters } from "../core/text.ts";
import { readUrl } from "../http/origin.ts";
import { MAX_SEGMENT_LENGTH } from "./limits.ts";

/**
 * A place in Graph, relative to the version: segments as they are meant, encoded here and nowhere else.
 * A `link` is what Graph itself gave for the next page, already checked and reduced to path and query.
 */
export type GraphPath =
  | { readonly segments: readonly string[]; readonly query?: readonly (readonly [name: string, value: string])[] }
  | { readonly link: string };

/** Outlook's ids are long base64, which may hold a slash: encoded it separates nothing, and without dots nothing climbs. */
const OUTLOOK_ID = /^[\w+/-]{40,}={0,2}$/;

/** Whether a segment leaves the path it stands in as it is, without any slash: all ids but Outlook's. */
export function isPlainSegment(segment: string): boolean {
  // Half a surrogate pair cannot be encoded.
  if (segment.length > MAX_SEGMENT_LENGTH || !segment.isWellFormed()) return false;
  return !(/^\.{0,2}$|[/\\?#%]/.test(segment) || hasControlCharacters(segment));
}

/** The same, or an id of Outlook. */
export const isSafeSegment = (segment: string) =>
  isPlainSegment(segment) || (OUTLOOK_ID.test(segment) && segment.length <= MAX_SEGMENT_LENGTH);

/**
 * Path and query with the version in front, such as `/v1.0/me/messages?%24top=10`.
 * @throws when a segment is unsafe: a tool has to refuse it as input first
 */
export function writeGraphPath(version: string, path: GraphPath): string {
  if ("link" in path) return path.link;
  if (!path.segments.every(isSafeSegment)) throw new Error("unsafe segment");
  // A fixed function such as supportedTimeZones(...) is never a segment here, so everything is encoded.
  const segments = path.segments.map(encodeURIComponent).join("/");
  const query = (path.query ?? [])
    .map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`)
    .join("&");
  return `/${version}/${segments}${query === "" ? "" : `?${query}`}`;
}

/**
 * Follows `@odata.nextLink` only within Graph: an answer must not lead the person's token anywhere else.
 * @returns path and query; undefined where it leads elsewhere
 */
export function readNextLink(nextLink: string, graphOrigin: string, version: string): GraphPath | undefined {
  const url = readUrl(nextLink);
  return url?.href.startsWith(`${graphOrigin}/${version}/`) ? { link: url.pathname + url.search } : undefined;
}
