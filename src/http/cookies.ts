/** Cookies (RFC 6265bis). All of ours are host-only, unreadable to scripts and not sent by other sites' forms. */

/** @returns the value of one cookie, or undefined; of two with one name the first counts, as browsers order them */
export function readCookie(header: string | null, name: string): string | undefined {
  for (const pair of (header ?? "").split(";")) {
    const equals = pair.indexOf("=");
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}

/**
 * RFC 6265bis §4.1.3.2: the `__Host-` prefix makes a browser refuse the cookie from any other host or path. It needs
 * `Secure`, which plain http on loopback cannot have; there the prefix goes too.
 */
export function cookieName(name: string, isHttps: boolean): string {
  return isHttps ? `__Host-${name}` : name;
}

/** A `Set-Cookie` value. @param maxAgeSeconds 0 removes the cookie */
export function setCookie(name: string, value: string, maxAgeSeconds: number, isHttps: boolean): string {
  const secure = isHttps ? "Secure; " : "";
  return `${cookieName(name, isHttps)}=${value}; HttpOnly; ${secure}Path=/; SameSite=Lax; Max-Age=${maxAgeSeconds}`;
}
