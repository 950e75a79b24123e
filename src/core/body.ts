import { concatBytes } from "./bytes.ts";
import { err, ok, type Result } from "./result.ts";

/**
 * Reads the body of an HTTP message up to a bound. An announced length holds (RFC 9112 §6.3, RFC 9113 §8.1.1), so a body
 * that fits is read whole, which costs workerd far less than a stream does; only decoding can make more of it.
 * @returns the bytes, or `body_too_large` with the rest of an unannounced body unread
 */
export async function readBody(
  message: Request | Response,
  maxBytes: number,
): Promise<Result<Uint8Array, "body_too_large">> {
  const announced = message.headers.get("Content-Length");
  const isBounded = announced !== null && Number(announced) <= maxBytes && !message.headers.has("Content-Encoding");
  if (!isBounded) return readBounded(message.body, maxBytes);
  const bytes = new Uint8Array(await message.arrayBuffer());
  return bytes.length > maxBytes ? err("body_too_large") : ok(bytes);
}

/**
 * Reads a body up to a bound and stops at the first byte over it, whatever `Content-Length` said.
 * @returns the bytes, or `body_too_large` with the rest unread
 */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Result<Uint8Array, "body_too_large">> {
  if (body === null) return ok(new Uint8Array());
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel().catch(() => undefined);
      return err("body_too_large");
    }
    chunks.push(value);
  }
  const [first] = chunks;
  return ok(chunks.length === 1 && first !== undefined ? first : concatBytes(...chunks));
}
