import { redirectHost } from "./approval-page.ts";
import type { Authorization } from "./grant/grant.ts";

/** What the log says of an approval, from the first to the last line of a grant: whom it is for and what it allows. */
export function auditFacts(approved: Pick<Authorization, "clientId" | "redirectUri" | "scopes" | "accessIdentity">) {
  const { clientId, redirectUri, scopes, accessIdentity } = approved;
  return { clientId, redirectHost: redirectHost(redirectUri), scopes, accessIdentity };
}
