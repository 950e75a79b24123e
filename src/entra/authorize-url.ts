import type { Config } from "../config.ts";
import { entraRedirectUri, entraUrl } from "./endpoints.ts";

const PUBLIC_GRAPH = "https://graph.microsoft.com";

export interface EntraLogin {
  readonly origin: string;
  /** Names of delegated Graph permissions. */
  readonly scopes: readonly string[];
  readonly state: string;
  readonly nonce: string;
  /** Of our own PKCE pair; the client's challenge never leaves us. */
  readonly codeChallenge: string;
}

/** The address that starts a sign-in at Microsoft. Entra: v2-oauth2-auth-code-flow */
export function entraAuthorizeUrl(config: Config, login: EntraLogin): string {
  const parameters = new URLSearchParams({
    client_id: config.MICROSOFT_CLIENT_ID,
    response_type: "code",
    // form_post would come as a cross-site POST, without our SameSite=Lax cookies.
    response_mode: "query",
    redirect_uri: entraRedirectUri(login.origin),
    scope: entraScope(config, login.scopes),
    state: login.state,
    nonce: login.nonce,
    code_challenge: login.codeChallenge,
    code_challenge_method: "S256",
  });
  return `${entraUrl(config, "oauth2/v2.0/authorize")}?${parameters}`;
}

/** Short names work in the public cloud only; elsewhere a scope names its Graph. */
export function entraScope(config: Config, scopes: readonly string[]): string {
  const prefix = config.GRAPH_ORIGIN === PUBLIC_GRAPH ? "" : `${config.GRAPH_ORIGIN}/`;
  return ["openid", "profile", "offline_access", ...scopes.map((scope) => prefix + scope)].join(" ");
}

/** The names of granted scopes without the resource they may be prefixed with. */
export function readEntraScope(scope: string): string[] {
  return scope.split(" ").map((name) => name.slice(name.lastIndexOf("/") + 1));
}
