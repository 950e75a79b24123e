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
  /** Undefined for a form that was used. */
  beginLogin(input: BeginLogin): Promise<LoginBegun | undefined>;
  /** Asking leaves nothing behind, also where there is no grant. */
  state(): Promise<Grant["state"] | undefined>;
  completeLogin(input: CompleteLogin): Promise<LoginCompleted>;
  redeemCode(input: RedeemCode): Promise<TokenAnswer<CodeProblem>>;
  refreshTokens(input: RefreshTokens): Promise<TokenAnswer<RefreshProblem | MicrosoftProblem>>;
  revokeToken(input: RevokeToken): Promise<void>;
  /** Whether there was a grant to end. */
  endGrant(input: About): Promise<boolean>;
}

export type Grants = (gid: string) => GrantObject;

/** Identifies the request in the object's log lines. */
export interface Trace {
  readonly requestId: string;
  readonly clientType: string;
}

/** Every input says whose grant it is, where we are served, and which request it belongs to. */
export interface About {
  readonly gid: string;
  readonly origin: string;
  readonly trace: Trace;
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

export interface BeginLogin extends About {
  readonly request: AuthorizationRequest;
  readonly formExpiresAt: EpochSeconds;
  readonly formCookieHash: string;
  readonly accessIdentity: string | null;
}

export interface LoginBegun {
  /** Not the same form again, from the same browser, while its login waits. */
  readonly isFirst: boolean;
  readonly entraUrl: string;
  readonly loginCookie: string;
}

export interface CompleteLogin extends About {
  readonly stateHash: string;
  readonly loginCookieHash: string;
  readonly accessIdentity: string | null;
  /** Entra's answer: a code, or an error code of RFC 6749 §4.1.2.1. */
  readonly code: string | undefined;
  readonly error: string | undefined;
}

export type LoginCompleted =
  /** For the client that asked: our code, or why there is none. */
  | {
      readonly kind: "answered";
      readonly request: AuthorizationRequest;
      readonly answer: { readonly code: string } | SignInError;
    }
  | {
      readonly kind: "refused";
      readonly reason: "login_unknown" | "login_over" | "browser_mismatch" | "access_identity_mismatch";
    };

/** RFC 6749 §4.1.2.1, as the client hears it. */
export interface SignInError {
  readonly error: "access_denied" | "server_error" | "temporarily_unavailable";
  readonly error_description: string;
}

export interface RedeemCode extends About {
  readonly codeHash: string;
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  /** RFC 7636 §4.6: BASE64URL(SHA256(code_verifier)). */
  readonly computedChallenge: string;
}

export interface RefreshTokens extends About {
  /** Its successor is sealed with it, so here the text itself is needed. */
  readonly refreshToken: string;
  readonly clientId: string;
  readonly scopes: readonly GraphScope[] | undefined;
}

export interface RevokeToken extends About {
  /** A refresh token, else an access token. */
  readonly isRefresh: boolean;
  readonly hash: string;
  readonly clientId: string;
}

export type TokenAnswer<Problem> =
  | { readonly kind: "issued"; readonly response: TokenResponse; readonly authorization: Authorization }
  | { readonly kind: "refused"; readonly reason: Problem; readonly retryAfterSeconds?: number | undefined };

/** RFC 6749 §5.1, as it goes over the wire. */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: "Bearer";
  /** Seconds. */
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly scope: string;
}

/** The account a grant belongs to. */
export interface UserKey {
  readonly tid: string;
  readonly oid: string;
}

/** Why Microsoft gave no token: for good, or for now. */
export type MicrosoftProblem = "microsoft_ended" | "microsoft_unavailable";
