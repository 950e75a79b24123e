import { addSeconds } from "../core/time.ts";
import { type Box, type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret } from "../crypto/random.ts";
import { mintToken } from "../crypto/token.ts";
import { entraAuthorizeUrl } from "../entra/authorize-url.ts";
import { verifyIdToken } from "../entra/id-token.ts";
import { redeemEntraCode } from "../entra/token.ts";
import {
  type Authorization,
  CODE_LIFETIME_SECONDS,
  type EndReason,
  GRANT_LIFETIME_SECONDS,
  LOGIN_LIFETIME_SECONDS,
} from "../oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../oauth/grant/login.ts";
import type { AuthorizationRequest, BeginLogin, CompleteLogin, LoginBegun, LoginCompleted } from "../oauth/grants.ts";
import { computeChallenge } from "../oauth/pkce.ts";
import { grantedScopes } from "../oauth/scope.ts";
import { end } from "./audit.ts";
import type { AgentContext } from "./context.ts";
import { logEntraFailure, sealTokens } from "./microsoft-session.ts";

/** What has to survive the way to Entra and back; sealed, because it holds our secrets towards Entra. */
interface Login {
  readonly request: AuthorizationRequest;
  readonly accessIdentity: string | null;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly loginCookie: string;
  readonly entraUrl: string;
}

/** An approved form starts a login; the same form again leads to the same place. */
export async function startLogin(input: BeginLogin, context: AgentContext): Promise<LoginBegun> {
  const loginExpiresAt = addSeconds(context.now(), LOGIN_LIFETIME_SECONDS);
  const state = await mintToken(context.keys, "m365s", context.gid, loginExpiresAt);
  const [codeVerifier, nonce, loginCookie] = [randomSecret(), randomSecret(), randomSecret()];
  const entraUrl = entraAuthorizeUrl(context.config, {
    origin: input.origin,
    scopes: input.request.scopes,
    state: state.text,
    nonce,
    codeChallenge: await computeChallenge(codeVerifier),
  });
  const { request, accessIdentity } = input;
  const login: Login = { request, accessIdentity, codeVerifier, nonce, loginCookie, entraUrl };
  const pending = {
    state: "pending",
    formExpiresAt: input.formExpiresAt,
    loginExpiresAt,
    stateHash: await sha256(state.text),
    formCookieHash: input.formCookieHash,
    loginCookieHash: await sha256(loginCookie),
    wrongBrowsers: 0,
    loginBox: await sealValue(context.keys, place(context.gid), login),
  } as const;
  const begun = context.store.commit(beginLogin(context.store.grant(), pending));
  if (begun.kind === "started") return { kind: "started", entraUrl, loginCookie };
  if (begun.kind === "used") return begun;
  const earlier = await openLogin(begun.loginBox, context);
  if (earlier === undefined) return { kind: "used" };
  return { kind: "already_started", entraUrl: earlier.entraUrl, loginCookie: earlier.loginCookie };
}

/** Entra sent the browser back: claim the login, exchange the code, find out who it is, and mint our code. */
export async function finishLogin(input: CompleteLogin, context: AgentContext): Promise<LoginCompleted> {
  const stateHash = await sha256(input.state);
  const loginCookieHash = await sha256(input.loginCookie);
  const claim = context.store.commit(claimLogin(context.store.grant(), { stateHash, loginCookieHash }, context.now()));
  if (claim.kind === "refused") return claim;
  const login = await openLogin(claim.loginBox, context);
  if (login === undefined) return fail(context, "signin_failed", undefined);
  if (login.accessIdentity !== input.accessIdentity) {
    fail(context, "signin_failed", login);
    return { kind: "refused", reason: "access_identity_mismatch" };
  }
  if ("error" in input.answer) return refusedByEntra(input.answer.error, login, context);

  const { codeVerifier, nonce } = login;
  const exchange = { code: input.answer.code, codeVerifier, origin: input.origin };
  const answer = await redeemEntraCode(context.config, exchange, context.now());
  if (!answer.ok) {
    logEntraFailure(answer.error, context);
    return fail(context, "signin_failed", login, EXCHANGE_ERRORS[answer.error.kind]);
  }
  const identity = await verifyIdToken(context.config, answer.value.idToken, nonce, context.now());
  if (!identity.ok) {
    logRefusal(identity.error, context);
    return fail(context, "signin_failed", login, identity.error === "keys_unavailable" ? UNAVAILABLE : DENIED);
  }
  const scopes = grantedScopes(login.request.scopes, answer.value.scopes);
  if (scopes.length === 0) return fail(context, "denied", login, DENIED);

  const now = context.now();
  const code = await mintToken(context.keys, "m365c", context.gid, addSeconds(now, CODE_LIFETIME_SECONDS));
  const authorization: Authorization = {
    clientId: login.request.clientId,
    redirectUri: login.request.redirectUri,
    resource: login.request.resource,
    scopes,
    person: identity.value,
    accessIdentity: login.accessIdentity,
    createdAt: now,
    expiresAt: addSeconds(now, GRANT_LIFETIME_SECONDS),
  };
  const codeRecord = {
    hash: await sha256(code.text),
    challenge: login.request.codeChallenge,
    expiresAt: code.expiresAt,
  };
  const tokens = await sealTokens(answer.value, context);
  const completed = context.store.commit(completeLogin(context.store.grant(), { authorization, code: codeRecord }));
  if (completed.kind !== "coded") return { kind: "refused", reason: "login_over" };
  context.store.write("microsoft", tokens);
  logSignIn(authorization, context);
  return { kind: "signed_in", request: login.request, code: code.text };
}

interface ClientError {
  readonly error: "access_denied" | "server_error" | "temporarily_unavailable";
  readonly description: string;
}

const DENIED: ClientError = {
  error: "access_denied",
  description: "Microsoft or the person did not allow the sign-in.",
};
const BROKEN: ClientError = {
  error: "server_error",
  description: "This server could not complete the sign-in at Microsoft.",
};
const UNAVAILABLE: ClientError = {
  error: "temporarily_unavailable",
  description: "Microsoft's sign-in service does not answer just now. Try again.",
};
const EXCHANGE_ERRORS = { ended: DENIED, unavailable: UNAVAILABLE, misconfigured: BROKEN } as const;

/** OpenID Connect Core §3.1.2.6, in the few words that a client needs. */
function refusedByEntra(error: string, login: Login, context: AgentContext): LoginCompleted {
  const known = ["access_denied", "consent_required", "interaction_required", "login_required"];
  logRefusal(/^[a-z_]{1,40}$/.test(error) ? error : "unknown", context);
  if (known.includes(error)) return fail(context, "denied", login, DENIED);
  return fail(context, "signin_failed", login, error === "temporarily_unavailable" ? UNAVAILABLE : BROKEN);
}

/** The login is over; the client hears of it where its request is known. */
function fail(
  context: AgentContext,
  reason: EndReason,
  login: Login | undefined,
  problem: ClientError = BROKEN,
): LoginCompleted {
  end(reason, context);
  if (login === undefined) return { kind: "refused", reason: "login_over" };
  return { kind: "failed", request: login.request, ...problem };
}

async function openLogin(box: Box, context: AgentContext): Promise<Login | undefined> {
  return openValue<Login>(context.keys, place(context.gid), box);
}

function place(gid: string): BoxPlace {
  return ["login", gid, "login"];
}

function logRefusal(error: string, context: AgentContext): void {
  logEntraFailure({ kind: "ended", error }, context);
}

function logSignIn(authorization: Authorization, context: AgentContext): void {
  const { clientId, redirectUri, scopes, person, accessIdentity } = authorization;
  context.log({
    level: "INFO",
    message: "OAuth sign-in completed",
    userId: person.oid,
    metadata: { clientId, redirectHost: new URL(redirectUri).host, scopes, accessIdentity },
  });
}
