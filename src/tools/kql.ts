/** Keyword Query Language, as Exchange searches with it. Pure. */

export interface MailFilter {
  readonly query?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
  readonly hasAttachments?: boolean | undefined;
}

/** The query and every filter must hold. A value in quotes holds no operator; it cannot hold a quote either. */
export function compileKql({ query = "", from, to, after, before, hasAttachments }: MailFilter): string {
  const phrase = (text: string | undefined) => (text === undefined ? text : `"${text.replace(/["\\]/g, " ").trim()}"`);
  const filters = Object.entries({
    "from:": phrase(from),
    "to:": phrase(to),
    "received>=": after,
    "received<": before,
    "hasAttachments:": hasAttachments,
  })
    .filter(([, value]) => value !== undefined)
    .map((filter) => filter.join(""));
  const words = query.trim();
  if (words === "" || filters.length === 0) return words + filters.join(" AND ");
  return [`(${words})`, ...filters].join(" AND ");
}

/** Whether a query ends every phrase and group that it begins, so that nothing after it is swallowed or let out. */
export function isBalanced(query: string): boolean {
  let depth = 0;
  for (const mark of query.replace(/"[^"]*"/g, "")) {
    if (mark === '"') return false;
    if (mark === "(") depth += 1;
    if (mark === ")") depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Graph: $search is one clause in double quotes, in which `\` escapes. */
export function quoteSearch(kql: string): string {
  return `"${kql.replace(/[\\"]/g, "\\$&")}"`;
}
