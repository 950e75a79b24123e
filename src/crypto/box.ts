import { base64url, readBase64url, readUtf8, utf8 } from "../core/bytes.ts";
import { deriveSealingKey, type KeyPurpose, type KeyRing, type MasterKey } from "./keys.ts";
import { randomBytes } from "./random.ts";

/** `v1.<kid>.<iv>.<ciphertext>`: text that only this server can read (AES-256-GCM, NIST SP 800-38D). */
export type Box = string & { readonly __content: "sealed" };

/**
 * Where a box belongs. It does not open anywhere else: the place is in the key and in the authenticated data.
 * `owner` is the grant id, or empty for what belongs to no grant; `column` a column, cookie or form field. What is
 * `presented`, such as the value of a cookie, must be presented again to open the box: it is part of the key.
 */
export type BoxPlace = readonly [purpose: KeyPurpose, owner: string, column: string, presented?: string];

const SHAPE = /^v1\.(\w+)\.([\w-]{16})\.([\w-]*)$/;

/** Seals a value as JSON. */
export function sealValue(ring: KeyRing, place: BoxPlace, value: object): Promise<Box> {
  return seal(ring, place, JSON.stringify(value));
}

/**
 * Opens what `sealValue` sealed.
 * @typeParam Value what was sealed at this place; authentication vouches that we wrote it, so it is not checked again
 */
export async function openValue<Value>(ring: KeyRing, place: BoxPlace, box: string): Promise<Value | undefined> {
  const text = await open(ring, place, box);
  return text === undefined ? undefined : (JSON.parse(text) as Value);
}

export async function seal([current]: KeyRing, place: BoxPlace, plaintext: string): Promise<Box> {
  /** An iv is 96 bits, the length for which GCM needs no extra hashing (NIST SP 800-38D §5.2.1.1). */
  const IV_BYTES = 12;
  const iv = randomBytes(IV_BYTES);
  const key = await keyOf(current, place);
  const sealed = await crypto.subtle.encrypt(gcm(iv, place), key, utf8(plaintext));
  return `v1.${current.kid}.${base64url(iv)}.${base64url(new Uint8Array(sealed))}` as Box;
}

/** @returns the text, or undefined whatever the reason, so that an attacker learns nothing from it */
export async function open(ring: KeyRing, place: BoxPlace, box: string): Promise<string | undefined> {
  const [, kid, ivText = "", sealedText = ""] = SHAPE.exec(box) ?? [];
  const master = ring.find((key) => key.kid === kid);
  const iv = readBase64url(ivText);
  const sealed = readBase64url(sealedText);
  if (master === undefined || iv === undefined || sealed === undefined) return undefined;
  return crypto.subtle.decrypt(gcm(iv, place), await keyOf(master, place), sealed).then(
    (bytes) => readUtf8(new Uint8Array(bytes)),
    () => undefined,
  );
}

/** Whether a box that opens was sealed with the current key; else it is time to seal it anew. */
export function isCurrent([current]: KeyRing, box: Box): boolean {
  return box.startsWith(`v1.${current.kid}.`);
}

/** A key per grant also keeps random 96-bit ivs far under the bound of 2^32 (NIST SP 800-38D §8.3). */
function keyOf(master: MasterKey, [purpose, owner, , presented]: BoxPlace): Promise<CryptoKey> {
  return deriveSealingKey(master, purpose, presented === undefined ? owner : `${owner}/${presented}`);
}

function gcm(iv: BufferSource, [purpose, owner, column]: BoxPlace) {
  return { name: "AES-GCM", iv, additionalData: utf8([purpose, owner, column].join("|")) };
}
