import { endGrant } from "../oauth/grant/end.ts";
import type { EndReason, Grant, Transition } from "../oauth/grant/grant.ts";
import type { AgentContext } from "./context.ts";

/** Stores a transition; where it ends a grant that somebody held, that is written down. */
export function commit<Outcome>(transition: Transition<Outcome>, context: AgentContext): Outcome {
  const before = context.store.grant();
  const outcome = context.store.commit(transition);
  const after = context.store.grant();
  if (before !== undefined && before !== after && after?.state === "ended") logEnd(before, after.reason, context);
  return outcome;
}

/** Ends the grant from whatever state it is in. @returns whether there was one to end */
export function end(reason: EndReason, context: AgentContext): boolean {
  const grant = context.store.grant();
  if (grant === undefined || grant.state === "ended") return false;
  commit({ next: endGrant(grant, reason), outcome: undefined }, context);
  return true;
}

/** Only these two mean that somebody has what they should not. */
const ALARMING: readonly EndReason[] = ["code_replayed", "refresh_reused"];

function logEnd(grant: Grant, reason: EndReason, context: AgentContext): void {
  if (grant.state !== "coded" && grant.state !== "active") return;
  const { person, clientId, redirectUri, scopes, accessIdentity } = grant.authorization;
  context.log({
    level: ALARMING.includes(reason) ? "WARN" : "INFO",
    message: "OAuth grant ended",
    code: reason,
    userId: person.oid,
    metadata: { clientId, redirectHost: new URL(redirectUri).host, scopes, accessIdentity },
  });
}
