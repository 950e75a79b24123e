import type { EpochSeconds } from "../../core/time.ts";
import type { Box } from "../../crypto/box.ts";
import type { GraphScope } from "../../graph/scopes.ts";

/**
 * The life of one grant as plain data. Each event is a pure function in this folder that takes the grant as it stands
 * and returns what becomes of it; the grant's object stores the outcome in the same synchronous step.
 *
 *     (none) -> pending -> exchanging -> coded -> active -> ended
 */
export type Grant = Pending | Exchanging | Coded | Active | Ended;

interface Common {
  /** Until then the approval form could be posted again, so something must remember that it was. */
  readonly formExpiresAt: EpochSeconds;
}

/** Approved in a browser; waiting for that browser to come back from Entra. */
export interface Pending extends Common {
  readonly state: "pending";
  readonly loginExpiresAt: EpochSeconds;
  /** SHA-256 of the `state` sent to Entra. */
  readonly stateHash: string;
  /** SHA-256 of the form cookie and of the login cookie of the approving browser. */
  readonly formCookieHash: string;
  readonly loginCookieHash: string;
  /** Attempts with the right `state` and a wrong cookie. */
  readonly wrongBrowsers: number;
  /** The client's request and our secrets towards Entra, sealed. */
  readonly loginBox: Box;
}

/** The Microsoft code is being exchanged; whoever comes now is too late. */
export interface Exchanging extends Common {
  readonly state: "exchanging";
  readonly loginExpiresAt: EpochSeconds;
}

/** Signed in at Microsoft; the client holds an authorization code. */
export interface Coded extends Common {
  readonly state: "coded";
  readonly authorization: Authorization;
  readonly code: Code;
}

/** The client holds tokens. */
export interface Active extends Common {
  readonly state: "active";
  readonly authorization: Authorization;
  /** Kept so that a second redemption is recognised. */
  readonly code: Code;
  readonly refresh: RefreshFamily;
  /** Newest last, at most `MAX_ACCESS_TOKENS`. */
  readonly access: readonly AccessRecord[];
}

/** Over. A marker without content, kept only until the form expires. */
export interface Ended extends Common {
  readonly state: "ended";
  readonly reason: EndReason;
}

export type EndReason =
  | "signin_failed"
  | "code_replayed"
  | "code_burned"
  | "refresh_reused"
  | "revoked"
  | "microsoft_ended"
  | "expired";

/** What a person approved and who that is. It never changes; a wider wish needs a new grant. */
export interface Authorization {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The resource the tokens are for (RFC 8707), one of our own spellings. */
  readonly resource: string;
  readonly scopes: readonly GraphScope[];
  readonly person: Person;
  /** `iss|sub` of the Cloudflare Access identity at approval, if there was one. */
  readonly accessIdentity: string | null;
  readonly createdAt: EpochSeconds;
  /** However often it is refreshed, a grant ends here. */
  readonly expiresAt: EpochSeconds;
}

/** The account: `tid` and `oid` identify it (Entra: id-token-claims-reference), the rest is for display. */
export interface Person {
  readonly tid: string;
  readonly oid: string;
  readonly name: string;
  readonly email: string;
}

export interface Code {
  readonly hash: string;
  /** RFC 7636 §4.2, S256. */
  readonly challenge: string;
  readonly expiresAt: EpochSeconds;
  readonly failures: number;
}

/** Older tokens need no memory: the Worker lets pass only what was issued for this grant (`readToken`). */
export interface RefreshFamily {
  readonly current: string;
  readonly expiresAt: EpochSeconds;
  /** The token before the current one, while its answer may be asked for again. */
  readonly previous: { readonly hash: string; readonly rotatedAt: EpochSeconds; readonly successorBox: Box } | null;
}

export interface AccessRecord {
  readonly hash: string;
  readonly scopes: readonly GraphScope[];
  readonly expiresAt: EpochSeconds;
}

/** What becomes of the grant, and what to answer. `next` is the same value when nothing changed. */
export interface Transition<Outcome> {
  readonly next: Grant | undefined;
  readonly outcome: Outcome;
}

/** Long enough to sign in with a second factor, short enough to forget. */
export const FORM_LIFETIME_SECONDS = 600;
/** The same for the way to Entra and back. */
export const LOGIN_LIFETIME_SECONDS = 600;
/** OAuth 2.1 §4.1.2 recommends at most ten minutes; clients redeem within a second. */
export const CODE_LIFETIME_SECONDS = 60;
/** Revocation is checked on every use, so an hour is safe. */
export const ACCESS_LIFETIME_SECONDS = 3600;
/** Unused for this long, the client has to sign in again. */
export const REFRESH_IDLE_SECONDS = 30 * 86_400;
/** A person confirms at least this often (Entra's own refresh tokens live as long). */
export const GRANT_LIFETIME_SECONDS = 90 * 86_400;
/** A client that lost the answer may ask again; several processes may share one token file. */
export const REPLAY_WINDOW_SECONDS = 600;
/** One client rarely holds more than two; older ones are the leak, not the need. */
export const MAX_ACCESS_TOKENS = 20;
/** Failed checks with the right code, and right `state` with a wrong cookie, before the attempt is over. */
export const MAX_FAILURES = 10;
