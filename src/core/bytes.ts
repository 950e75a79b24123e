/** Text and byte encodings (RFC 4648 §5: base64url without padding). Pure. */
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

export type Bytes = Uint8Array<ArrayBuffer>;

export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

/** @returns the text, or undefined when the bytes are not UTF-8 */
export function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function base64url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** One text per value: what is spare in the last, incomplete group has to be zero (RFC 4648 §3.5). */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/** @returns the bytes, or undefined for anything that `base64url` would not have written */
export function readBase64url(text: string): Bytes | undefined {
  return BASE64URL.test(text) ? latin1(atob(text.replaceAll("-", "+").replaceAll("_", "/"))) : undefined;
}

/** RFC 4648 §4, with its padding. @returns the bytes, or undefined for anything else */
export function readBase64(text: string): Bytes | undefined {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? latin1(atob(text)) : undefined;
}

function latin1(binary: string): Bytes {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param text an even number of hexadecimal digits, already checked */
export function readHex(text: string): Bytes {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Compares in time that depends on the lengths alone. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  return left.reduce((difference, byte, index) => difference | (byte ^ (right[index] ?? 0)), 0) === 0;
}

/** `equalBytes` for two short texts, such as stored hashes. */
export function equalText(left: string, right: string): boolean {
  return equalBytes(utf8(left), utf8(right));
}
