import type { EpochSeconds } from "../core/time.ts";
import type { KeyRing } from "../crypto/keys.ts";
import { hasOurShape, readToken, TOKEN_LENGTH, type Token } from "../crypto/token.ts";

/** What the Authorization header of an MCP request comes to, before any storage is asked. */
export type Bearer =
  | { readonly kind: "none" }
  /** Not a token of ours; diagnostics and discovery go on without it. */
  | { readonly kind: "foreign" }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "valid"; readonly token: Token };

/** RFC 6750 §2.1. Tokens in queries or forms (§2.2, §2.3) are never read. */
export function presentedBearer(header: string | null): string | undefined {
  return /^Bearer +(\S+)$/i.exec(header ?? "")?.[1];
}

/** @returns whether checking the header needs a key at all */
export function claimsToBeOurs(header: string | null): boolean {
  return hasOurShape(presentedBearer(header) ?? "");
}

export async function readBearer(header: string | null, ring: KeyRing, now: EpochSeconds): Promise<Bearer> {
  const text = presentedBearer(header);
  if (text === undefined) return { kind: "none" };
  if (!hasOurShape(text)) return { kind: "foreign" };
  const token = await readToken(ring, "m365a", text.slice(0, TOKEN_LENGTH + 1), now);
  return token.ok ? { kind: "valid", token: token.value } : { kind: "invalid", reason: token.error };
}
