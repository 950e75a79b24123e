import type { EpochSeconds } from "../core/time.ts";
import type { GraphScope } from "../graph/scopes.ts";
import type { CodeProblem } from "./grant/code.ts";
import type { Authorization, Grant } from "./grant/grant.ts";
import type { RefreshProblem } from "./grant/refresh.ts";

/**
 * What the OAuth endpoints ask of a grant's object. Plain values in, unions out: nothing throws across the boundary,
 * and no Microsoft token ever crosses it.
 */
export interface GrantObject {
  beginLogin(input: BeginLogin): Promise<LoginBegun>;
  /** Asking leaves nothing behind, also where there is no grant. */
  state(): Promise<Grant["state"] | undefined>;
  completeLogin(input: CompleteLogin): Promise<LoginCompleted>;
  redeemCode(input: RedeemCode): Promise<TokenAnswer<CodeProblem>>;
  refreshTokens(input: RefreshTokens): Promise<TokenAnswer<RefreshProblem | MicrosoftProblem>>;
  revokeToken(input: RevokeToken): Promise<void>;
  /** Whether there was a grant to end. */
  endGrant(input: EndGrant): Promise<boolean>;
}

export type Grants = (gid: string) => GrantObject;

/** Identifies the request in the object's log lines. */
export interface Trace {
  readonly requestId: string;
  readonly clientType: string;
}

/** The client's authorization request after every check (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2). */
export interface AuthorizationRequest {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly scopes: readonly GraphScope[];
  readonly resource: string;
  readonly codeChallenge: string;
  readonly state: string | undefined;
}

export interface BeginLogin {
  readonly trace: Trace;
  readonly gid: string;
  readonly origin: string;
  readonly request: AuthorizationRequest;
  readonly formExpiresAt: EpochSeconds;
  readonly formCookieHash: string;
  readonly accessIdentity: string | null;
}

export type LoginBegun =
  | { readonly kind: "started" | "already_started"; readonly entraUrl: string; readonly loginCookie: string }
  | { readonly kind: "used" };

export interface CompleteLogin {
  readonly trace: Trace;
  readonly gid: string;
  readonly origin: string;
  readonly state: string;
  readonly loginCookie: string;
  readonly accessIdentity: string | null;
  /** Entra's answer: a code, or an error code of RFC 6749 §4.1.2.1. */
  readonly answer: { readonly code: string } | { readonly error: string };
}

export type LoginCompleted =
  | { readonly kind: "signed_in"; readonly request: AuthorizationRequest; readonly code: string }
  | {
      readonly kind: "failed";
      readonly request: AuthorizationRequest;
      readonly error: "access_denied" | "server_error" | "temporarily_unavailable";
      readonly description: string;
    }
  | {
      readonly kind: "refused";
      readonly reason: "login_unknown" | "login_over" | "browser_mismatch" | "access_identity_mismatch";
    };

export interface RedeemCode {
  readonly trace: Trace;
  readonly gid: string;
  readonly origin: string;
  readonly code: string;
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  readonly codeVerifier: string;
}

export interface RefreshTokens {
  readonly trace: Trace;
  readonly gid: string;
  readonly origin: string;
  readonly refreshToken: string;
  readonly clientId: string;
  readonly scopes: readonly GraphScope[] | undefined;
}

export interface RevokeToken {
  readonly trace: Trace;
  readonly gid: string;
  readonly token: string;
  readonly clientId: string;
}

export interface EndGrant {
  readonly trace: Trace;
  readonly gid: string;
}

export type TokenAnswer<Problem> =
  | {
      readonly kind: "issued";
      readonly accessToken: string;
      readonly refreshToken: string;
      readonly expiresInSeconds: number;
      readonly scopes: readonly GraphScope[];
      readonly authorization: Authorization;
    }
  | { readonly kind: "refused"; readonly reason: Problem; readonly retryAfterSeconds?: number | undefined };

/** The account a grant belongs to. */
export interface UserKey {
  readonly tid: string;
  readonly oid: string;
}

/** Why Microsoft gave no token: for good, or for now. */
export type MicrosoftProblem = "microsoft_ended" | "microsoft_unavailable";
