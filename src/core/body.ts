import { readUtf8 } from "./bytes.ts";
import { type JsonProblem, parseJson } from "./json.ts";
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
  const { headers, body } = message;
  const announced = Number(headers.get("Content-Length") ?? Infinity);
  if (announced <= maxBytes && !headers.has("Content-Encoding")) {
    const bytes = new Uint8Array(await message.arrayBuffer());
    return bytes.length > maxBytes ? err("body_too_large") : ok(bytes);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > maxBytes) return err("body_too_large");
    chunks.push(chunk);
  }
  return ok(new Uint8Array(await new Blob(chunks).arrayBuffer()));
}

/** Reads a body of JSON in UTF-8 up to a bound. */
export async function readJson(
  message: Request | Response,
  maxBytes: number,
): Promise<Result<unknown, "body_too_large" | JsonProblem>> {
  const bytes = await readBody(message, maxBytes);
  return bytes.ok ? parseJson(readUtf8(bytes.value) ?? "") : bytes;
}
