import * as v from "valibot";
import { readJson } from "../core/body.ts";
import { equalText } from "../core/bytes.ts";
import { sha256 } from "../crypto/hash.ts";
import { GUID } from "../entra/id-token.ts";
import { json, jsonError } from "../http/responses.ts";
import { presentedBearer } from "./bearer.ts";
import type { OAuthContext } from "./context.ts";
import { endGrants } from "./user-index.ts";

const PERSON = v.strictObject({ tid: GUID, oid: GUID });
const MAX_REQUEST_BYTES = 4096;

/**
 * POST /operator/revoke ends every grant of one person and says how many. Without `OPERATOR_TOKEN` the path does not
 * exist. The index follows within a minute, so a sign-in of seconds ago may need a second call.
 */
export async function revokePerson(context: OAuthContext): Promise<Response> {
  const { request, requestId, config, log, url } = context;
  const { OPERATOR_TOKEN } = config;
  const presented = presentedBearer(request.headers.get("Authorization"));
  if (!OPERATOR_TOKEN || !equalText(await sha256(presented), await sha256(OPERATOR_TOKEN))) {
    // Nobody comes by here by mistake, so this is louder than other refusals.
    log({ level: "WARN", message: "OAuth request refused", code: "operator_token_wrong", context: url.pathname });
    const headers = { "WWW-Authenticate": "Bearer" };
    return jsonError(401, "invalid_token", "Send the operator token as a bearer.", requestId, headers);
  }
  const value = await readJson(request, MAX_REQUEST_BYTES);
  const person = v.safeParse(PERSON, value.ok ? value.value : undefined);
  if (!person.success) {
    return jsonError(400, "invalid_request", 'Send {"tid":"…","oid":"…"}, both GUIDs.', requestId);
  }
  const { ended, failed } = await endGrants(person.output, context);
  // LG-07: also where there was nothing to end, because somebody used the token.
  log({ level: "INFO", message: "OAuth person revoked", userId: person.output.oid, metadata: { ended, failed } });
  if (failed === 0) return json(200, { ended });
  return json(503, { error: "temporarily_unavailable", ended, failed, requestId }, { "Retry-After": "5" });
}
