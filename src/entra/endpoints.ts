import type { Config } from "../config.ts";

/** A place of Entra ID, such as `oauth2/v2.0/token`. Entra: v2-protocols */
export function entraUrl(config: Config, path: string, tenant: string = config.MICROSOFT_TENANT_ID): string {
  return `${config.MICROSOFT_AUTHORITY}/${tenant}/${path}`;
}

/** Where Entra sends the browser back; registered there as a Web redirect, to the letter. */
export function entraRedirectUri(origin: string): string {
  return `${origin}/callback`;
}
