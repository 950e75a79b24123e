import { isLoopback } from "../core/loopback.ts";

/** Equal origins, where the loopback names with equal port are one host. */
export function isSameOrigin(left: URL, right: URL): boolean {
  if (left.origin === right.origin) return true;
  return (
    left.protocol === right.protocol &&
    left.port === right.port &&
    isLoopback(left.hostname) &&
    isLoopback(right.hostname)
  );
}

/** The parsed URL, or undefined for text that is none. */
export function readUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
