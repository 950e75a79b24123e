import { base64url, readBase64url, readUtf8, utf8 } from "../core/bytes.ts";
import { err, ok, type Result } from "../core/result.ts";
import { deriveSealingKey, type KeyPurpose, type KeyRing } from "./keys.ts";
import { randomBytes } from "./random.ts";

/** `v1.<kid>.<iv>.<ciphertext>`: text that only this server can read (AES-256-GCM, NIST SP 800-38D). */
export type Box = string & { readonly __content: "sealed" };

/** Where a box belongs. It does not open anywhere else: the place is in the key and in the authenticated data. */
export interface BoxPlace {
  readonly purpose: KeyPurpose;
  /** The grant id, or empty for what belongs to no grant. */
  readonly owner: string;
  /** Column, cookie or form field. */
  readonly column: string;
  /** Further text that must be presented to open the box, such as the value of a cookie: it is part of the key. */
  readonly presented?: string;
}

/** NIST SP 800-38D §5.2.1.1: 96 bits is the length for which GCM needs no extra hashing. */
const IV_BYTES = 12;

/** Seals a value as JSON. */
export function sealValue(ring: KeyRing, place: BoxPlace, value: object): Promise<Box> {
  return seal(ring, place, JSON.stringify(value));
}

/**
 * Opens what `sealValue` sealed.
 * @typeParam Value what was sealed at this place; authentication vouches that we wrote it, so it is not checked again
 */
export async function openValue<Value>(
  ring: KeyRing,
  place: BoxPlace,
  box: string,
): Promise<Result<{ readonly value: Value; readonly isPreviousKey: boolean }, "box_unreadable">> {
  const opened = await open(ring, place, box);
  if (!opened.ok) return opened;
  const { plaintext, isPreviousKey } = opened.value;
  return ok({ value: JSON.parse(plaintext) as Value, isPreviousKey });
}

export async function seal(ring: KeyRing, place: BoxPlace, plaintext: string): Promise<Box> {
  const iv = randomBytes(IV_BYTES);
  const key = await deriveSealingKey(ring.current, place.purpose, keyContext(place));
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: placeName(place) },
    key,
    utf8(plaintext),
  );
  return `v1.${ring.current.kid}.${base64url(iv)}.${base64url(new Uint8Array(sealed))}` as Box;
}

/**
 * @returns the text and whether the previous key sealed it (then it is time to seal it anew);
 * one reason for every failure, so that an attacker learns nothing from it
 */
export async function open(
  ring: KeyRing,
  place: BoxPlace,
  box: string,
): Promise<Result<{ readonly plaintext: string; readonly isPreviousKey: boolean }, "box_unreadable">> {
  const [version, kid, ivText, sealedText, ...rest] = box.split(".");
  const iv = readBase64url(ivText ?? "");
  const sealed = readBase64url(sealedText ?? "");
  const master = ring.current.kid === kid ? ring.current : ring.previous?.kid === kid ? ring.previous : undefined;
  if (version !== "v1" || rest.length > 0 || iv?.length !== IV_BYTES || sealed === undefined || master === undefined) {
    return err("box_unreadable");
  }
  const key = await deriveSealingKey(master, place.purpose, keyContext(place));
  const plaintext = await crypto.subtle
    .decrypt({ name: "AES-GCM", iv, additionalData: placeName(place) }, key, sealed)
    .then((bytes) => readUtf8(new Uint8Array(bytes)))
    .catch(() => undefined);
  if (plaintext === undefined) return err("box_unreadable");
  return ok({ plaintext, isPreviousKey: master !== ring.current });
}

/** A key per grant also keeps random 96-bit ivs far under the bound of 2^32 (NIST SP 800-38D §8.3). */
function keyContext(place: BoxPlace): string {
  return place.presented === undefined ? place.owner : `${place.owner}/${place.presented}`;
}

function placeName(place: BoxPlace) {
  return utf8([place.purpose, place.owner, place.column].join("|"));
}
