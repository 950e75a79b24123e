import type { GraphRequest } from "./request.ts";
import type { GraphPath } from "./url.ts";

const MAX_PAGES = 5;
/** About what one result holds, which has everything twice; what is left then is for `nextPageToken`. */
const ENOUGH_CHARS = 35_000;

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
