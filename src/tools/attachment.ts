import * as v from "valibot";
import { utf8 } from "../core/bytes.ts";
import type { ArgumentProblem } from "./define.ts";
import { described, line } from "./schema.ts";

/** Graph: user-sendmail takes files under 3 MB inside the message; larger ones need hosts that the gateway cannot reach. */
const MAX_TOTAL_BYTES = 3_000_000;
/** Graph refuses larger requests. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** RFC 4648 §4, in one pass and without line breaks or a data-URI prefix. */
const isBase64 = (text: string) => text.length % 4 === 0 && !/[^A-Za-z0-9+/=]|=[^=]|===/.test(text);

export const AttachmentInput = v.strictObject({
  name: line(255),
  contentType: v.optional(line(255), "application/octet-stream"),
  contentBytes: described(
    v.pipe(v.string(), v.minLength(1), v.check(isBase64, "must be base64 without line breaks or prefix")),
    "Base64.",
  ),
});

export function checkAttachments(
  files: readonly v.InferOutput<typeof AttachmentInput>[],
  request: object,
): ArgumentProblem | undefined {
  const sizes = files.map(({ contentBytes }) => Math.floor(contentBytes.replaceAll("=", "").length * 0.75));
  const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  if (totalBytes <= MAX_TOTAL_BYTES && utf8(JSON.stringify(request)).length <= MAX_REQUEST_BYTES) return undefined;
  return {
    field: "attachments",
    description: `may hold at most ${MAX_TOTAL_BYTES} bytes (3 MB), in a request of 4 MiB; send a link instead`,
  };
}
