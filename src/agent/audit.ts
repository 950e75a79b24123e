import { endGrant } from "../oauth/grant/end.ts";
import type { Authorization, EndReason, Transition } from "../oauth/grant/grant.ts";
import { redirectHost } from "../oauth/redirect-uri.ts";
import type { AgentContext } from "./context.ts";

/** Only these two mean that somebody has what they should not. */
const ALARMING: readonly EndReason[] = ["code_replayed", "refresh_reused"];

/** Stores a transition; where it ends a grant that somebody held, that is written down. */
export function commit<Outcome>(transition: Transition<Outcome>, { store, log }: AgentContext): Outcome {
  const before = store.grant();
  const { next } = transition;
  const outcome = store.commit(transition);
  if (before !== undefined && "authorization" in before && next?.state === "ended") {
    const level = ALARMING.includes(next.reason) ? "WARN" : "INFO";
    log({ level, message: "OAuth grant ended", code: next.reason, ...factsOf(before.authorization) });
  }
  return outcome;
}

/** Ends the grant from whatever state it is in. @returns whether there was one to end */
export function end(reason: EndReason, context: AgentContext): boolean {
  const grant = context.store.grant();
  if (grant === undefined || grant.state === "ended") return false;
  commit({ next: endGrant(grant, reason), outcome: undefined }, context);
  return true;
}

/** What an audit line says of a grant. */
export function factsOf({ person, clientId, redirectUri, scopes, accessIdentity }: Authorization) {
  return {
    userId: person.oid,
    metadata: { clientId, redirectHost: redirectHost(redirectUri), scopes, accessIdentity },
  };
}
