import { equalText, readBase64, readUtf8 } from "../core/bytes.ts";
import { ok, type Result } from "../core/result.ts";
import { sha256 } from "../crypto/hash.ts";
import type { Parameters } from "../http/parameters.ts";
import type { AuthMethod, Client } from "./client.ts";
import { isClientDocumentUrl } from "./client-document.ts";
import { type OAuthContext, readTokenOf } from "./context.ts";
import { type Refusal, refuse } from "./errors.ts";

/** RFC 6749 §2.3 and OAuth 2.1 §2.4: the method that was registered, exactly, and only one at a time. */
export async function authenticateClient(
  { client_id, client_secret, code, refresh_token, token }: Parameters,
  context: OAuthContext,
): Promise<Result<Client, Refusal>> {
  const header = context.request.headers.get("Authorization");
  const basic = header === null ? undefined : readBasic(header);
  if (header !== null && basic === undefined) {
    return refuse("invalid_client", "authorization_malformed", "The Authorization header is not valid Basic.");
  }
  const [clientId, secret] = basic ?? [client_id, client_secret];
  // RFC 6749 §2.3: not more than one method in a request.
  if (basic && (client_secret !== undefined || (client_id ?? clientId) !== clientId)) {
    return refuse("invalid_request", "methods_mixed", "Send the client's credentials in the header or in the body.");
  }
  if (clientId === undefined) return refuse("invalid_client", "client_missing", "Send client_id.");

  const isDocument = isClientDocumentUrl(clientId);
  // A document is fetched only for somebody with a text of ours, or /token could be used to knock on doors.
  if (isDocument) {
    const ours = await readTokenOf(["m365c", "m365r", "m365a"], code ?? refresh_token ?? token ?? "", context);
    if (!ours.ok && ours.error !== "token_expired") return refuse("invalid_grant", ours.error, UNKNOWN_GRANT);
  }
  const client = await context.clients.find(clientId);
  // Whoever holds a token of ours was a client once: that its document cannot be had is no reason to forget us.
  if (client === undefined && isDocument) {
    const description = "The client's document cannot be had just now; nothing was changed, try again.";
    return refuse("temporarily_unavailable", "document_unavailable", description, { retryAfterSeconds: 60 });
  }
  if (client === undefined) return refuse("invalid_client", "client_unknown", "Register this client again.");

  const method = basic ? "client_secret_basic" : secret === undefined ? "none" : "client_secret_post";
  const { tokenEndpointAuthMethod: registered, clientSecretHash = "" } = client;
  if (method !== registered) {
    return refuse("invalid_client", "method_mismatch", `Registered for ${registered}: ${ADVICE[registered]}.`);
  }
  if (secret === undefined || equalText(clientSecretHash, await sha256(secret))) return ok(client);
  return refuse("invalid_client", "secret_mismatch", "The client secret is wrong.");
}

/** What whoever has no code or token that counts is told, whatever is wrong with it. */
export const UNKNOWN_GRANT =
  "The code or token is unknown, expired, used or not for this client. Start the sign-in again.";

const ADVICE: { readonly [Method in AuthMethod]: string } = {
  none: "send no secret",
  client_secret_basic: "use -u client_id:client_secret or register with token_endpoint_auth_method none",
  client_secret_post: "send client_secret in the body or register with token_endpoint_auth_method none",
};

/** RFC 6749 §2.3.1: id and secret, both form-encoded before they are joined. */
function readBasic(header: string): readonly [clientId: string, secret: string] | undefined {
  const bytes = readBase64(/^Basic +(\S{1,2048})$/i.exec(header)?.[1] ?? "");
  const pair = bytes && readUtf8(bytes)?.replaceAll("+", " ");
  const [, clientId, secret] = /^([^:]+):(.*)$/s.exec(pair ?? "") ?? [];
  if (clientId === undefined || secret === undefined) return undefined;
  try {
    return [decodeURIComponent(clientId), decodeURIComponent(secret)];
  } catch {
    return undefined;
  }
}
