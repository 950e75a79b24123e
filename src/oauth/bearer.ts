import type { Config } from "../config.ts";
import type { EpochSeconds } from "../core/time.ts";
import { hasOurShape, readToken, type Token } from "../crypto/token.ts";
import { tokenKeys } from "./context.ts";

/** What the Authorization header of an MCP request comes to, before any storage is asked. */
export type Bearer =
  /** Or not a token of ours: diagnostics and discovery go on without it. */
  | { readonly kind: "none" }
  | { readonly kind: "invalid"; readonly reason: string }
  | { readonly kind: "valid"; readonly token: Token };

/** RFC 6750 §2.1. Tokens in queries or forms (§2.2, §2.3) are never read. */
export function presentedBearer(header: string | null): string {
  return /^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "";
}

/** One HMAC at most, and no key is needed for what does not claim to be ours. */
export async function readBearer(header: string | null, config: Config, now: EpochSeconds): Promise<Bearer> {
  const text = presentedBearer(header);
  if (!hasOurShape(text)) return { kind: "none" };
  const token = await readToken(await tokenKeys(config), "m365a", text, now);
  return token.ok ? { kind: "valid", token: token.value } : { kind: "invalid", reason: token.error };
}
