import { addSeconds } from "../core/time.ts";
import { type Box, type BoxPlace, openValue, sealValue } from "../crypto/box.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret } from "../crypto/random.ts";
import { mintToken } from "../crypto/token.ts";
import { entraAuthorizeUrl } from "../entra/authorize-url.ts";
import { verifyIdToken } from "../entra/id-token.ts";
import { type EntraFailure, redeemEntraCode } from "../entra/token.ts";
import {
  type Authorization,
  CODE_LIFETIME_SECONDS,
  GRANT_LIFETIME_SECONDS,
  LOGIN_LIFETIME_SECONDS,
} from "../oauth/grant/grant.ts";
import { beginLogin, claimLogin, completeLogin } from "../oauth/grant/login.ts";
import type {
  AuthorizationRequest,
  BeginLogin,
  CompleteLogin,
  LoginBegun,
  LoginCompleted,
  SignInError,
} from "../oauth/grants.ts";
import { computeChallenge } from "../oauth/pkce.ts";
import { grantedScopes } from "../oauth/scope.ts";
import { end, factsOf } from "./audit.ts";
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
export async function startLogin(input: BeginLogin, context: AgentContext): Promise<LoginBegun | undefined> {
  const { request, accessIdentity, origin, formExpiresAt, formCookieHash } = input;
  const { config, keys, gid, store } = context;
  const loginExpiresAt = addSeconds(context.now(), LOGIN_LIFETIME_SECONDS);
  const { text: state } = await mintToken(keys, "m365s", gid, loginExpiresAt);
  const [codeVerifier, nonce, loginCookie] = [randomSecret(), randomSecret(), randomSecret()];
  const codeChallenge = await computeChallenge(codeVerifier);
  const entraUrl = entraAuthorizeUrl(config, { origin, scopes: request.scopes, state, nonce, codeChallenge });
  const login: Login = { request, accessIdentity, codeVerifier, nonce, loginCookie, entraUrl };
  const pending = {
    state: "pending",
    formExpiresAt,
    loginExpiresAt,
    stateHash: await sha256(state),
    formCookieHash,
    loginCookieHash: await sha256(loginCookie),
    wrongBrowsers: 0,
    loginBox: await sealValue(keys, place(gid), login),
  } as const;
  const begun = store.commit(beginLogin(store.grant(), pending));
  if (begun.kind === "started") return { isFirst: true, entraUrl, loginCookie };
  const earlier = begun.kind === "used" ? undefined : await openLogin(begun.loginBox, context);
  return earlier && { isFirst: false, entraUrl: earlier.entraUrl, loginCookie: earlier.loginCookie };
}

/** Entra sent the browser back: claim the login, exchange the code, find out who it is, and mint our code. */
export async function finishLogin(input: CompleteLogin, context: AgentContext): Promise<LoginCompleted> {
  const { config, keys, gid, store, now } = context;
  const claim = store.commit(claimLogin(store.grant(), input, now()));
  if (claim.kind === "refused") return claim;
  const login = await openLogin(claim.loginBox, context);
  if (login?.accessIdentity !== input.accessIdentity) {
    end("signin_failed", context);
    return { kind: "refused", reason: login ? "access_identity_mismatch" : "login_over" };
  }
  const { request, accessIdentity, codeVerifier, nonce } = login;
  /** The login is over, and the client hears of it. */
  const fail = (kind: EntraFailure["kind"], error?: string): LoginCompleted => {
    if (error) logEntraFailure({ kind: "ended", error, errorCodes: [], traceId: undefined }, context);
    end("signin_failed", context);
    return { kind: "answered", request, answer: SIGN_IN_ERRORS[kind] };
  };

  const { code: entraCode, error: entraError = "", origin } = input;
  if (entraCode === undefined) {
    return fail(kindOfRefusal(entraError), /^[a-z_]{1,40}$/.test(entraError) ? entraError : "unknown");
  }
  const answer = await redeemEntraCode(config, { code: entraCode, codeVerifier, origin }, now());
  if (!answer.ok) {
    logEntraFailure(answer.error, context);
    return fail(answer.error.kind);
  }
  const identity = await verifyIdToken(config, answer.value.idToken, nonce, now());
  if (!identity.ok) return fail(identity.error === "keys_unavailable" ? "unavailable" : "ended", identity.error);
  const scopes = grantedScopes(request.scopes, answer.value.scopes);
  if (scopes.length === 0) return fail("ended");

  const { codeChallenge: challenge, state: _, ...asked } = request;
  const createdAt = now();
  const expiresAt = addSeconds(createdAt, CODE_LIFETIME_SECONDS);
  const { text: code } = await mintToken(keys, "m365c", gid, expiresAt);
  const authorization: Authorization = {
    ...asked,
    scopes,
    person: identity.value,
    accessIdentity,
    createdAt,
    expiresAt: addSeconds(createdAt, GRANT_LIFETIME_SECONDS),
  };
  const coded = { authorization, code: { hash: await sha256(code), challenge, expiresAt } };
  const tokens = await sealTokens(answer.value, context);
  if (store.commit(completeLogin(store.grant(), coded)).kind !== "coded") {
    return { kind: "refused", reason: "login_over" };
  }
  store.write("microsoft", tokens);
  context.log({ level: "INFO", message: "OAuth sign-in completed", ...factsOf(authorization) });
  return { kind: "answered", request, answer: { code } };
}

/** What the client hears: Microsoft or the person said no, later it may work, or the operator has to act. */
const SIGN_IN_ERRORS: { readonly [Kind in EntraFailure["kind"]]: SignInError } = {
  ended: { error: "access_denied", error_description: "The sign-in was refused at Microsoft." },
  unavailable: {
    error: "temporarily_unavailable",
    error_description: "Microsoft does not answer just now; nothing was changed, try again.",
  },
  misconfigured: { error: "server_error", error_description: "This server could not sign in at Microsoft." },
};

/** OpenID Connect Core §3.1.2.6, in the few words that a client needs. */
function kindOfRefusal(error: string): EntraFailure["kind"] {
  if (error === "temporarily_unavailable") return "unavailable";
  return /^(access_denied|(consent|interaction|login)_required)$/.test(error) ? "ended" : "misconfigured";
}

async function openLogin(box: Box, context: AgentContext): Promise<Login | undefined> {
  return openValue<Login>(context.keys, place(context.gid), box);
}

function place(gid: string): BoxPlace {
  return ["login", gid, "login"];
}
