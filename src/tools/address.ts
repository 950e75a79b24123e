import * as v from "valibot";
import { hasControlCharacters } from "../core/text.ts";

/** RFC 5321 §4.5.3.1.3 bounds a path at 256 octets; 320 is the habit of address books. */
const MAX_ADDRESS_LENGTH = 320;

/** One plain address: no display name, no list, no control characters, nothing that a header could be built from. */
const ADDRESS = /^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+\.[^\s@<>()[\]\\,;:".]+$/;

export function isAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS_LENGTH && ADDRESS.test(text) && !hasControlCharacters(text);
}

export const Address = v.pipe(v.string(), v.check(isAddress, "must be an email address"));

/** Exchange: recipient limits. */
export const MAX_RECIPIENTS = 500;

export const Addresses = v.array(Address);
