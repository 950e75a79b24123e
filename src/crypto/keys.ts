import { type Bytes, hex, readHex, utf8 } from "../core/bytes.ts";

/**
 * What a derived key is for. A label is part of the derivation (RFC 5869 §3.2 `info`), so a key made for one purpose
 * opens nothing of another.
 */
export type KeyPurpose =
  | "microsoft-tokens"
  | "login"
  | "successor"
  | "form"
  | "approvals"
  | "token-tag"
  | "page-cursor"
  | "user-index"
  | "address";

/** One configured key: 32 bytes of HKDF material and the name under which its boxes say they were sealed. */
export interface MasterKey {
  /** First 8 hexadecimal digits of SHA-256(key). */
  readonly kid: string;
  readonly material: CryptoKey;
}

/** The key that seals, and optionally the one before it, which still opens. */
export interface KeyRing {
  readonly current: MasterKey;
  readonly previous: MasterKey | undefined;
}

const rings = new Map<string, Promise<KeyRing>>();

/**
 * Imports a configured pair once per isolate.
 * @param current 64 hexadecimal digits; `previous` likewise
 */
export function loadKeyRing(current: string, previous: string | undefined): Promise<KeyRing> {
  const name = `${current}.${previous ?? ""}`;
  const known = rings.get(name);
  if (known !== undefined) return known;
  const ring = Promise.all([
    importKey(readHex(current)),
    previous === undefined ? undefined : importKey(readHex(previous)),
  ]).then(([currentKey, previousKey]) => ({ current: currentKey, previous: previousKey }));
  rings.set(name, ring);
  return ring;
}

async function importKey(bytes: Bytes): Promise<MasterKey> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  return { kid: hex(digest.subarray(0, 4)), material };
}

/** @param context what the key is bound to besides its purpose, such as a grant id; may be empty */
export function deriveSealingKey(key: MasterKey, purpose: KeyPurpose, context: string): Promise<CryptoKey> {
  return derive(key, purpose, context, { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]);
}

export function deriveMacKey(key: MasterKey, purpose: KeyPurpose, context = ""): Promise<CryptoKey> {
  return derive(key, purpose, context, { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign", "verify"]);
}

function derive(
  key: MasterKey,
  purpose: KeyPurpose,
  context: string,
  algorithm: SubtleCryptoDeriveKeyAlgorithm | { name: string; length: number; hash?: string },
  usages: ("encrypt" | "decrypt" | "sign" | "verify")[],
): Promise<CryptoKey> {
  // RFC 5869 §3.1: the input key is already uniform, so an empty salt is sound; `info` separates the uses.
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8(`m365/${purpose}/v1/${context}`) };
  return crypto.subtle.deriveKey(hkdf, key.material, algorithm, false, usages);
}
