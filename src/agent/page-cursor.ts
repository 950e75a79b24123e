import { err, ok, type Result } from "../core/result.ts";
import { addSeconds, type EpochSeconds } from "../core/time.ts";
import { type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { type GraphPath, readNextLink } from "../graph/url.ts";
import type { AgentContext } from "./context.ts";

/** Graph's own links live longer; an hour is a conversation. */
const CURSOR_LIFETIME_SECONDS = 3600;

interface Cursor {
  readonly link: string;
  readonly expiresAt: EpochSeconds;
}

/** `nextPageToken`: Graph's next page, sealed for this grant and this tool. Undefined when the link leads elsewhere. */
export async function sealCursor(tool: string, nextLink: string, context: AgentContext): Promise<string | undefined> {
  const { GRAPH_ORIGIN, GRAPH_API_VERSION } = context.config;
  const path = readNextLink(nextLink, GRAPH_ORIGIN, GRAPH_API_VERSION);
  if (!path.ok || !("link" in path.value)) {
    context.log({ level: "WARN", message: "Graph API error", tool, code: "next_link_foreign", metadata: NO_FACTS });
    return undefined;
  }
  const cursor: Cursor = { link: path.value.link, expiresAt: addSeconds(context.now(), CURSOR_LIFETIME_SECONDS) };
  return sealValue(context.keys, place(context.gid, tool), cursor);
}

const NO_FACTS = { aiGatewayLogId: null, attempt: 1 };

export async function openCursor(
  tool: string,
  pageToken: string,
  context: AgentContext,
): Promise<Result<GraphPath, "page_token_invalid" | "page_token_expired">> {
  const opened = await openValue<Cursor>(context.keys, place(context.gid, tool), pageToken);
  if (!opened.ok) return err("page_token_invalid");
  const { link, expiresAt } = opened.value.value;
  return context.now() < expiresAt ? ok({ link }) : err("page_token_expired");
}

function place(gid: string, tool: string): BoxPlace {
  return { purpose: "page-cursor", owner: gid, column: tool };
}
