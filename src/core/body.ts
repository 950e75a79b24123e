import { concatBytes } from "./bytes.ts";
import { err, ok, type Result } from "./result.ts";

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
