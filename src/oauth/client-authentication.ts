import { equalText, readBase64, readUtf8 } from "../core/bytes.ts";
import { err, ok, type Result } from "../core/result.ts";
import { sha256 } from "../crypto/hash.ts";
import { readToken } from "../crypto/token.ts";
import type { Parameters } from "../http/parameters.ts";
import type { AuthMethod, Client } from "./client.ts";
import { isClientDocumentUrl } from "./client-document.ts";
import { type OAuthContext, tokenKeys } from "./context.ts";
import type { OAuthError } from "./errors.ts";

interface Credentials {
  readonly method: AuthMethod;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** RFC 6749 §2.3 and OAuth 2.1 §2.4: the method that was registered, exactly, and only one at a time. */
export async function authenticateClient(
  parameters: Parameters,
  context: OAuthContext,
): Promise<Result<Client, OAuthError>> {
  const credentials = readCredentials(parameters, context.request.headers.get("Authorization"));
  if (!credentials.ok) return credentials;
  const { method, clientId, clientSecret } = credentials.value;
  if (isClientDocumentUrl(clientId) && !(await holdsOurToken(parameters, context))) {
    return err({ error: "invalid_grant", reason: "token_forged", description: "The code or token is unknown." });
  }
  const client = await context.clients.find(clientId);
  // Whoever holds a token of ours was a client once: that its document cannot be had is no reason to forget us.
  if (client === undefined && isClientDocumentUrl(clientId)) {
    const description = "The client's document cannot be had just now; nothing was changed, try again.";
    return err({
      error: "temporarily_unavailable",
      reason: "document_unavailable",
      description,
      retryAfterSeconds: 60,
    });
  }
  if (client === undefined) return refuse("client_unknown", "This client is not registered; register again.");
  if (client.tokenEndpointAuthMethod !== method) return refuse("method_mismatch", methodAdvice(client));
  if (method === "none") return ok(client);
  const presentedHash = await sha256(clientSecret ?? "");
  const isSecret = client.clientSecretHash !== undefined && equalText(client.clientSecretHash, presentedHash);
  return isSecret ? ok(client) : refuse("secret_mismatch", "The client secret is wrong.");
}

/** A document is fetched only for somebody with a text of ours, or /token could be used to knock on doors. */
async function holdsOurToken({ code, refresh_token, token }: Parameters, context: OAuthContext): Promise<boolean> {
  const keys = await tokenKeys(context.config);
  const text = code ?? refresh_token ?? token ?? "";
  for (const kind of ["m365c", "m365r", "m365a"] as const) {
    const read = await readToken(keys, kind, text, context.now);
    if (read.ok || read.error === "token_expired") return true;
  }
  return false;
}

function readCredentials(parameters: Parameters, authorization: string | null): Result<Credentials, OAuthError> {
  const bodyId = parameters.client_id;
  const bodySecret = parameters.client_secret;
  if (authorization === null) {
    if (bodyId === undefined) return refuse("client_missing", "The client did not say who it is: send client_id.");
    const method = bodySecret === undefined ? "none" : "client_secret_post";
    return ok({ method, clientId: bodyId, clientSecret: bodySecret });
  }
  const basic = readBasic(authorization);
  if (basic === undefined)
    return refuse("authorization_malformed", "The Authorization header is not valid HTTP Basic.");
  // RFC 6749 §2.3: not more than one method in a request.
  if (bodySecret !== undefined || (bodyId !== undefined && bodyId !== basic.clientId)) {
    return err({
      error: "invalid_request",
      reason: "methods_mixed",
      description: "Send the client credentials either in the Authorization header or in the body, not in both.",
    });
  }
  return ok({ method: "client_secret_basic", ...basic });
}

/** RFC 6749 §2.3.1: both halves are form-encoded before they are joined. */
function readBasic(header: string): { clientId: string; clientSecret: string } | undefined {
  const [, encoded = ""] = /^Basic +(\S{1,2048})$/i.exec(header) ?? [];
  const bytes = readBase64(encoded);
  const pair = bytes && readUtf8(bytes);
  const colon = pair?.indexOf(":") ?? -1;
  if (pair === undefined || colon < 1) return undefined;
  const clientId = formDecode(pair.slice(0, colon));
  const clientSecret = formDecode(pair.slice(colon + 1));
  return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret };
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function methodAdvice(client: Client): string {
  switch (client.tokenEndpointAuthMethod) {
    case "client_secret_basic":
      return "This client authenticates with its secret: use -u client_id:client_secret or register with token_endpoint_auth_method none.";
    case "client_secret_post":
      return "This client authenticates with client_id and client_secret in the body (token_endpoint_auth_method client_secret_post).";
    case "none":
      return "This client is registered with token_endpoint_auth_method none: send client_id in the body and no secret.";
  }
}

function refuse(reason: string, description: string): { readonly ok: false; readonly error: OAuthError } {
  return err({ error: "invalid_client", reason, description });
}
