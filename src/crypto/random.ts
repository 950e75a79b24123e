import { type Bytes, base64url } from "../core/bytes.ts";

/** The only source of randomness in the house. */
export function randomBytes(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** 256 unguessable bits as 43 base64url characters. */
export function randomSecret(): string {
  return base64url(randomBytes(32));
}

export function randomUuid(): string {
  return crypto.randomUUID();
}

/** Uniform in [0, 1): spreads retries, protects nothing. */
export function randomFraction(): number {
  const [byte = 0] = randomBytes(1);
  return byte / 256;
}
