import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { type GraphPath, readNextLink } from "../graph/url.ts";
import type { Tool } from "../tools/define.ts";
import type { Run } from "./graph-step.ts";

/** Where a list goes on. */
export interface Place {
  readonly path: GraphPath;
  /** Items of that page that were shown already. */
  readonly skip: number;
}

interface Cursor extends Place {
  readonly expiresAt: EpochSeconds;
}

/** Runs that met a foreign link: it is asked about for the next page and again for the page token, and said once. */
const warned = new WeakSet<Run>();

/** Where an `@odata.nextLink` leads; undefined when there is none or it leads elsewhere, which ends the paging. */
export function followLink(nextLink: string | null | undefined, run: Run): GraphPath | undefined {
  if (!nextLink) return undefined;
  const { tool, config, log } = run;
  const path = readNextLink(nextLink, config.GRAPH_ORIGIN, config.GRAPH_API_VERSION);
  if (path === undefined && !warned.has(run)) {
    warned.add(run);
    log({ level: "WARN", message: "Graph API error", tool: tool.name, code: "next_link_foreign" });
  }
  return path;
}

/** `nextPageToken`, sealed for this grant and this tool. */
export function sealCursor(next: Place, { tool, keys, gid, now }: Run): Promise<string> {
  /** Graph's own links live longer; an hour is a conversation. */
  const CURSOR_LIFETIME_SECONDS = 3600;
  return sealValue(keys, place(gid, tool), { ...next, expiresAt: addSeconds(now(), CURSOR_LIFETIME_SECONDS) });
}

/** @returns undefined for what this grant never got for this tool, and for what is too old */
export async function openCursor(pageToken: string, { tool, keys, gid, now, config }: Run): Promise<Place | undefined> {
  const cursor = await openValue<Cursor>(keys, place(gid, tool), pageToken);
  if (cursor === undefined || now() >= cursor.expiresAt) return undefined;
  // Graph's version may have been changed since.
  const isOurs = !("link" in cursor.path) || cursor.path.link.startsWith(`/${config.GRAPH_API_VERSION}/`);
  return isOurs ? cursor : undefined;
}

function place(gid: string, { name }: Tool): BoxPlace {
  return ["page-cursor", gid, name];
}
