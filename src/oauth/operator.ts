import * as v from "valibot";
import { readBody } from "../core/body.ts";
import { equalText, readUtf8 } from "../core/bytes.ts";
import { parseJson } from "../core/json.ts";
import { sha256 } from "../crypto/hash.ts";
import { json, jsonError } from "../http/responses.ts";
import { presentedBearer } from "./bearer.ts";
import { type OAuthContext, tokenKeys, trace } from "./context.ts";
import { UserIndex } from "./user-index.ts";

const PERSON = v.strictObject({ tid: v.pipe(v.string(), v.uuid()), oid: v.pipe(v.string(), v.uuid()) });
const MAX_REQUEST_BYTES = 4096;

/**
 * POST /operator/revoke ends every grant of one person and says how many. Without `OPERATOR_TOKEN` the path does not
 * exist. The index follows within a minute, so a sign-in of seconds ago may need a second call.
 */
export async function revokePerson(context: OAuthContext): Promise<Response> {
  const { request, requestId, config, log } = context;
  const presented = presentedBearer(request.headers.get("Authorization")) ?? "";
  if (!equalText(await sha256(presented), await sha256(config.OPERATOR_TOKEN ?? ""))) {
    log({ level: "WARN", message: "OAuth request refused", code: "operator_token_wrong", context: "/operator/revoke" });
    return jsonError(401, "invalid_token", "Send the operator token as a bearer.", requestId, {
      "WWW-Authenticate": "Bearer",
    });
  }
  const bytes = await readBody(request, MAX_REQUEST_BYTES);
  const value = bytes.ok ? parseJson(readUtf8(bytes.value) ?? "") : bytes;
  const person = v.safeParse(PERSON, value.ok ? value.value : undefined);
  if (!person.success) {
    return jsonError(400, "invalid_request", 'Send {"tid":"…","oid":"…"}, both GUIDs.', requestId);
  }
  const { tid, oid } = person.output;
  const index = new UserIndex(context.registrations, await tokenKeys(config), trace(context));
  const done = await index.endAll({ tid: tid.toLowerCase(), oid: oid.toLowerCase() }, context.grants);
  if (done.failed === 0) return json(200, { ended: done.ended });
  return json(503, { error: "temporarily_unavailable", ...done, requestId }, { "Retry-After": "5" });
}
