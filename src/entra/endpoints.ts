import type { Config } from "../config.ts";

/** Entra ID v2.0 of one tenant. Entra: v2-protocols */
export function entraEndpoint(config: Config, name: "authorize" | "token"): string {
  return `${config.MICROSOFT_AUTHORITY}/${config.MICROSOFT_TENANT_ID}/oauth2/v2.0/${name}`;
}

/** The signing keys. */
export function entraKeysUrl(config: Config): string {
  return `${config.MICROSOFT_AUTHORITY}/${config.MICROSOFT_TENANT_ID}/discovery/v2.0/keys`;
}

/** The issuer of a tenant's id_tokens. @param tid the tenant's GUID */
export function entraIssuer(config: Config, tid: string): string {
  return `${config.MICROSOFT_AUTHORITY}/${tid}/v2.0`;
}

/** Where Entra sends the browser back; registered there as a Web redirect, to the letter. */
export function entraRedirectUri(origin: string): string {
  return `${origin}/callback`;
}
