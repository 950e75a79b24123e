import * as v from "valibot";
import { parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { addSeconds } from "../core/time.ts";
import { type BoxPlace, open, seal } from "../crypto/box.ts";
import { type GraphPath, readNextLink } from "../graph/url.ts";
import type { AgentContext } from "./context.ts";

/** Graph's own links live longer; an hour is a conversation. */
const CURSOR_LIFETIME_SECONDS = 3600;

const CURSOR = v.object({ link: v.string(), expiresAt: v.number() });

/** `nextPageToken`: Graph's next page, sealed for this grant and this tool. Undefined when the link leads elsewhere. */
export async function sealCursor(tool: string, nextLink: string, context: AgentContext): Promise<string | undefined> {
  const { GRAPH_ORIGIN, GRAPH_API_VERSION } = context.config;
  const path = readNextLink(nextLink, GRAPH_ORIGIN, GRAPH_API_VERSION);
  if (!path.ok || !("link" in path.value)) {
    context.log({ level: "WARN", message: "Graph API error", tool, code: "next_link_foreign", metadata: NO_FACTS });
    return undefined;
  }
  const cursor = { link: path.value.link, expiresAt: addSeconds(context.now(), CURSOR_LIFETIME_SECONDS) };
  return seal(context.keys, place(context.gid, tool), JSON.stringify(cursor));
}

const NO_FACTS = { aiGatewayLogId: null, attempt: 1 };

export async function openCursor(
  tool: string,
  pageToken: string,
  context: AgentContext,
): Promise<Result<GraphPath, "page_token_invalid" | "page_token_expired">> {
  const opened = await open(context.keys, place(context.gid, tool), pageToken);
  const value = opened.ok ? parseJson(opened.value.plaintext) : undefined;
  const cursor = v.safeParse(CURSOR, value?.ok ? value.value : undefined);
  if (!cursor.success) return err("page_token_invalid");
  return context.now() < cursor.output.expiresAt ? ok({ link: cursor.output.link }) : err("page_token_expired");
}

function place(gid: string, tool: string): BoxPlace {
  return { purpose: "page-cursor", owner: gid, column: tool };
}
