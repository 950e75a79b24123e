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
  const groups = address.replace(/^:|:$/g, "").split(":");
  // RFC 4291 §2.2: `::` stands for as many zeros as are missing.
  const zeros = Array.from({ length: 9 - groups.length }, () => 0);
  return groups
    .flatMap((group) => (group === "" ? zeros : Number.parseInt(group, 16)))
    .slice(0, 4)
    .join(":");
}

/** What is left of the minute. */
export interface Quota {
  /** Whose it is: a grant's, where nothing is said. */
  readonly policy?: "address" | "grant";
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** draft-ietf-httpapi-ratelimit-headers §3, §4. */
export function quotaHeaders({ policy = "grant", limit, remaining, resetSeconds }: Quota) {
  return {
    "RateLimit-Policy": `"${policy}";q=${limit};w=60`,
    RateLimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
  };
}

export function describeSpent({ limit, resetSeconds }: Quota): string {
  return `At most ${limit} calls a minute; try again in ${resetSeconds} seconds.`;
}

/** Those of a refusal: with RFC 9110 §10.2.3. */
export function refusalHeaders(quota: Quota) {
  return { ...quotaHeaders(quota), "Retry-After": `${quota.resetSeconds}` };
}
