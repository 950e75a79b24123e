import * as v from "valibot";
import { readBody } from "../core/body.ts";
import { readUtf8 } from "../core/bytes.ts";
import { isJsonObject, type JsonObject, parseJson } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { hasControlCharacters } from "../core/text.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret, randomUuid } from "../crypto/random.ts";
import { readUrl } from "../http/origin.ts";
import { json } from "../http/responses.ts";
import type { Client } from "./client.ts";
import type { OAuthContext } from "./context.ts";
import { type OAuthError, oauthError } from "./errors.ts";
import { isRegistrableRedirectUri, MAX_REDIRECT_URI_LENGTH } from "./redirect-uri.ts";

/** A registration is a name and a few addresses. */
export const MAX_REGISTRATION_BYTES = 16 * 1024;

const WEB_LINK = v.pipe(
  v.string(),
  v.maxLength(2048),
  v.check((text) => ["https:", "http:"].includes(readUrl(text)?.protocol ?? ""), "must be an http or https address"),
);

const REDIRECT_URI = v.pipe(
  v.string(),
  v.check(
    isRegistrableRedirectUri,
    `must be https, http on localhost, 127.0.0.1 or [::1], or a private-use scheme with a dot, at most ${MAX_REDIRECT_URI_LENGTH} printable characters, without fragment, user name or wildcard`,
  ),
);

const UNNAMED = "Unnamed client";

const PLAIN = v.check((text: string) => !hasControlCharacters(text), "must not contain control characters");

/** RFC 7591 §2. Unknown members are ignored (§3.1); these are checked and kept. */
export const CLIENT_METADATA = v.object({
  redirect_uris: v.pipe(
    v.array(REDIRECT_URI),
    v.minLength(1, "must name at least one address"),
    v.maxLength(10, "may name at most 10 addresses"),
  ),
  client_name: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(100, "may have at most 100 characters"),
      PLAIN,
      // Blanks and marks without a letter show as nothing.
      v.transform((text) => (/[\p{L}\p{N}\p{S}]/u.test(text) ? text : UNNAMED)),
    ),
    UNNAMED,
  ),
  token_endpoint_auth_method: v.optional(
    v.picklist(["none", "client_secret_basic", "client_secret_post"]),
    "client_secret_basic",
  ),
  grant_types: v.optional(
    v.pipe(
      v.array(v.string()),
      v.maxLength(10),
      v.includes("authorization_code", "must include authorization_code"),
      v.transform((types) => types.filter((type) => type === "authorization_code" || type === "refresh_token")),
    ),
    ["authorization_code", "refresh_token"],
  ),
  response_types: v.optional(v.pipe(v.array(v.string()), v.maxLength(10), v.includes("code", "must include code")), [
    "code",
  ]),
  client_uri: v.optional(WEB_LINK),
  logo_uri: v.optional(WEB_LINK),
  policy_uri: v.optional(WEB_LINK),
  tos_uri: v.optional(WEB_LINK),
  contacts: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(256), PLAIN)), v.maxLength(10))),
  // MCP 2026-07-28 client-registration: clients send it; it changes nothing here.
  application_type: v.optional(v.picklist(["native", "web"])),
});

export type ClientMetadata = v.InferOutput<typeof CLIENT_METADATA>;

/** POST /register (RFC 7591 §3). Never idempotent: each registration is a client of its own. */
export async function register(context: OAuthContext): Promise<Response> {
  const metadata = await readMetadata(context.request);
  if (!metadata.ok) return oauthError(metadata.error, context);
  const clientSecret = metadata.value.token_endpoint_auth_method === "none" ? undefined : randomSecret();
  const client = await createClient(metadata.value, clientSecret, context);
  await context.clients.save(client);
  context.log({
    level: "INFO",
    message: "OAuth client registered",
    metadata: {
      clientId: client.clientId,
      redirectHosts: client.redirectUris.map((uri) => readUrl(uri)?.host ?? ""),
      authMethod: client.tokenEndpointAuthMethod,
    },
  });
  // RFC 7591 §3.2.1: all registered metadata, and the secret this once.
  const secret = clientSecret === undefined ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 };
  const answer = { client_id: client.clientId, ...secret, client_id_issued_at: context.now, ...metadata.value };
  return json(201, answer);
}

async function readMetadata(request: Request): Promise<Result<ClientMetadata, OAuthError>> {
  const bytes = await readBody(request, MAX_REGISTRATION_BYTES);
  if (!bytes.ok) {
    return err({
      ...refuse("invalid_client_metadata", bytes.error, `The body may have at most ${MAX_REGISTRATION_BYTES} bytes.`),
      status: 413,
    });
  }
  const text = readUtf8(bytes.value);
  const value = text === undefined ? undefined : parseJson(text);
  if (!value?.ok || !isJsonObject(value.value)) {
    return err(refuse("invalid_client_metadata", "json_malformed", "Send one JSON object (RFC 7591 section 3.1)."));
  }
  return checkMetadata(value.value);
}

/** The same rules for a registration and for a client metadata document. */
export function checkMetadata(value: JsonObject): Result<ClientMetadata, OAuthError> {
  // Some clients send what they do not have as null or as an empty text; that is as good as leaving it out.
  const given = Object.entries(value).filter(([, member]) => member !== null && member !== "");
  const metadata = v.safeParse(CLIENT_METADATA, Object.fromEntries(given));
  if (metadata.success) return ok(metadata.output);
  const [issue] = metadata.issues;
  const field = String(issue.path?.[0]?.key ?? "metadata");
  // RFC 7591 §3.2.2
  const error = field === "redirect_uris" ? "invalid_redirect_uri" : "invalid_client_metadata";
  const isOurText = issue.kind === "validation" && !issue.message.startsWith("Invalid");
  const description = isOurText
    ? `${field}: ${issue.message}`
    : `${field} is missing or not of a value that is supported.`;
  return err(refuse(error, "metadata_refused", description));
}

function refuse(error: OAuthError["error"], reason: string, description: string): OAuthError {
  return { error, reason, description };
}

async function createClient(
  metadata: ClientMetadata,
  secret: string | undefined,
  context: OAuthContext,
): Promise<Client> {
  return {
    clientId: randomUuid().replaceAll("-", ""),
    ...clientFields(metadata),
    clientSecretHash: secret && (await sha256(secret)),
    registeredAt: context.now,
  };
}

/** From the names of RFC 7591 to ours. */
export function clientFields(metadata: ClientMetadata): Omit<Client, "clientId" | "registeredAt"> {
  return {
    clientName: metadata.client_name,
    redirectUris: metadata.redirect_uris,
    tokenEndpointAuthMethod: metadata.token_endpoint_auth_method,
    grantTypes: metadata.grant_types,
    clientUri: metadata.client_uri,
    logoUri: metadata.logo_uri,
    policyUri: metadata.policy_uri,
    tosUri: metadata.tos_uri,
    contacts: metadata.contacts,
  };
}
