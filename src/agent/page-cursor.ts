import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { type GraphPath, readNextLink } from "../graph/url.ts";
import type { AgentContext } from "./context.ts";

/** Graph's own links live longer; an hour is a conversation. */
const CURSOR_LIFETIME_SECONDS = 3600;

/** Where a list goes on. */
export interface Place {
  readonly path: GraphPath;
  /** Items of that page that were shown already. */
  readonly skip: number;
}

interface Cursor extends Place {
  readonly expiresAt: EpochSeconds;
}

/** Where an `@odata.nextLink` leads; undefined when there is none or it leads elsewhere, which ends the paging. */
export function followLink(
  tool: string,
  nextLink: string | null | undefined,
  { config, log }: AgentContext,
): GraphPath | undefined {
  if (nextLink === undefined || nextLink === null) return undefined;
  const path = readNextLink(nextLink, config.GRAPH_ORIGIN, config.GRAPH_API_VERSION);
  if (path.ok) return path.value;
  const metadata = { aiGatewayLogId: null, attempt: 1 };
  log({ level: "WARN", message: "Graph API error", tool, code: "next_link_foreign", metadata });
  return undefined;
}

/** `nextPageToken`, sealed for this grant and this tool. */
export function sealCursor(tool: string, next: Place, context: AgentContext): Promise<string> {
  const cursor: Cursor = { ...next, expiresAt: addSeconds(context.now(), CURSOR_LIFETIME_SECONDS) };
  return sealValue(context.keys, boxPlace(context.gid, tool), cursor);
}

export async function openCursor(
  tool: string,
  pageToken: string,
  context: AgentContext,
): Promise<Result<Place, "page_token_invalid" | "page_token_expired">> {
  const opened = await openValue<Cursor>(context.keys, boxPlace(context.gid, tool), pageToken);
  if (!opened.ok) return err("page_token_invalid");
  const cursor = opened.value.value;
  // Graph's version may have been changed since.
  const isOurs = !("link" in cursor.path) || cursor.path.link.startsWith(`/${context.config.GRAPH_API_VERSION}/`);
  if (!isOurs) return err("page_token_invalid");
  return context.now() < cursor.expiresAt ? ok(cursor) : err("page_token_expired");
}

function boxPlace(gid: string, tool: string): BoxPlace {
  return { purpose: "page-cursor", owner: gid, column: tool };
}
