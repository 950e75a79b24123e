import { hex, readHex, utf8 } from "../core/bytes.ts";

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
  /** Tags tokens; the same for every grant, so it is derived once. */
  readonly tagKey: CryptoKey;
}

/** The key that seals, and optionally the one before it, which still opens. */
export type KeyRing = readonly [current: MasterKey, ...previous: MasterKey[]];

type Material = Pick<MasterKey, "material">;

const rings = new Map<string, Promise<KeyRing>>();

/**
 * Imports a configured pair once per isolate.
 * @param current 64 hexadecimal digits; `previous` likewise
 */
export function loadKeyRing(current: string, previous: string | undefined): Promise<KeyRing> {
  const name = `${current}.${previous}`;
  const ring = rings.get(name) ?? importRing(current, previous);
  rings.set(name, ring);
  return ring;
}

async function importRing(current: string, previous: string | undefined): Promise<KeyRing> {
  const key = await importKey(current);
  return previous === undefined ? [key] : [key, await importKey(previous)];
}

async function importKey(digits: string): Promise<MasterKey> {
  const bytes = readHex(digits);
  const kid = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))).slice(0, 8);
  const material = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  return { kid, material, tagKey: await deriveMacKey({ material }, "token-tag") };
}

/** @param context what the key is bound to besides its purpose, such as a grant id; may be empty */
export function deriveSealingKey({ material }: Material, purpose: KeyPurpose, context: string): Promise<CryptoKey> {
  return derive(material, purpose, context, "AES-GCM", ["encrypt", "decrypt"]);
}

export function deriveMacKey({ material }: Material, purpose: KeyPurpose, context = ""): Promise<CryptoKey> {
  return derive(material, purpose, context, "HMAC", ["sign"]);
}

function derive(
  material: CryptoKey,
  purpose: KeyPurpose,
  context: string,
  name: "AES-GCM" | "HMAC",
  usages: ("encrypt" | "decrypt" | "sign")[],
): Promise<CryptoKey> {
  const hash = "SHA-256";
  // RFC 5869 §3.1: the input key is already uniform, so an empty salt is sound; `info` separates the uses.
  const hkdf = { name: "HKDF", hash, salt: new Uint8Array(), info: utf8(`m365/${purpose}/v1/${context}`) };
  // AES-GCM has no use for the hash.
  return crypto.subtle.deriveKey(hkdf, material, { name, hash, length: 256 }, false, usages);
}
