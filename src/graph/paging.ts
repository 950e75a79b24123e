import type { GraphRequest } from "./request.ts";
import type { GraphPath } from "./url.ts";

const MAX_PAGES = 5;

interface Page {
  readonly value: readonly unknown[];
  readonly "@odata.nextLink"?: string | null | undefined;
}

/** Goes on to Graph's next page, within bounds. */
export function nextOf(
  pages: readonly Page[],
  request: Omit<GraphRequest, "path">,
  follow: (nextLink: string | null | undefined) => GraphPath | undefined,
): GraphRequest | undefined {
  if (pages.length >= MAX_PAGES) return undefined;
  const path = follow(pages.at(-1)?.["@odata.nextLink"]);
  return path && { ...request, path };
}
