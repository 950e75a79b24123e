import type { GraphRequest } from "./request.ts";
import type { GraphPath } from "./url.ts";

const MAX_PAGES = 5;
/** A result of 100 KB has everything twice, so nothing beyond this could be shown. */
const ENOUGH_CHARS = 48_000;

interface Page {
  readonly value: readonly unknown[];
  readonly "@odata.nextLink"?: string | null | undefined;
}

/** Goes on to Graph's next page. A page that cannot be had leaves those before it, and the way to ask again. */
export function nextOf(
  pages: readonly Page[],
  request: Pick<GraphRequest, "method" | "prefer">,
  follow: (nextLink: string | null | undefined) => GraphPath | undefined,
): GraphRequest | undefined {
  if (pages.length >= MAX_PAGES || JSON.stringify(pages).length > ENOUGH_CHARS) return undefined;
  const path = follow(pages.at(-1)?.["@odata.nextLink"]);
  return path && { ...request, path, tolerates: "all" };
}
