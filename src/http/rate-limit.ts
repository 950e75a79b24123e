import { base64url, utf8 } from "../core/bytes.ts";

/** A native limiter: approximate, per location, and answering only yes or no. */
interface RateLimiter {
  limit(options: { readonly key: string }): Promise<{ readonly success: boolean }>;
}

/**
 * Whether this address may go on. Only a MAC of it is handed on, so no limiter ever knows an address.
 * @param whenBroken the answer when the limiter itself fails
 */
export async function isWithinLimit(
  limiter: RateLimiter,
  headers: Headers,
  key: CryptoKey,
  whenBroken: boolean,
): Promise<boolean> {
  const mac = await crypto.subtle.sign("HMAC", key, utf8(addressPrefix(headers.get("CF-Connecting-IP") ?? "")));
  try {
    return (await limiter.limit({ key: base64url(new Uint8Array(mac)) })).success;
  } catch {
    return whenBroken;
  }
}

/** An IPv6 host has a /64 to itself, so the whole of it counts as one address. */
export function addressPrefix(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const rest = tail === undefined ? [] : tail.split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: Math.max(0, 8 - groups.length - rest.length) }, () => "0");
  const all = tail === undefined ? groups : [...groups, ...zeros, ...rest];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** The headers of a refusal: the limiter does not say when it lets pass again, so its whole period is given. */
export function limitHeaders(perMinute: number): Record<string, string> {
  return { "Retry-After": "60", "RateLimit-Policy": `"address";q=${perMinute};w=60`, RateLimit: '"address";r=0;t=60' };
}
