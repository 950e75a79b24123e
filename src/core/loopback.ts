/** RFC 8252 §7.3. @param host as a URL writes it, with or without a port */
export function isLoopback(host: string): boolean {
  return /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}
