import * as v from "valibot";
import { readJson } from "../core/body.ts";
import { isJsonObject, type JsonObject } from "../core/json.ts";
import { err, ok, type Result } from "../core/result.ts";
import { hasControlCharacters } from "../core/text.ts";
import { sha256 } from "../crypto/hash.ts";
import { randomSecret, randomUuid } from "../crypto/random.ts";
import { readUrl } from "../http/origin.ts";
import { json } from "../http/responses.ts";
import { AUTH_METHODS, GRANT_TYPES } from "./client.ts";
import type { OAuthContext } from "./context.ts";
import { oauthError, parameterRefusal, type Refusal, refuse } from "./errors.ts";
import { isRegistrableRedirectUri, isWeb, redirectHost } from "./redirect-uri.ts";

/** A registration is a name and a few addresses. */
export const MAX_REGISTRATION_BYTES = 16 * 1024;

export const UNNAMED_CLIENT = "Unnamed client";

const WEB_LINK = v.optional(
  v.pipe(
    v.string(),
    v.check((text) => text.length <= 2048 && isWeb(readUrl(text))),
  ),
);
const plainText = (maxChars: number) =>
  v.pipe(
    v.string(),
    v.check((text) => [...text].length <= maxChars && !hasControlCharacters(text)),
  );
const tenOf = <Item extends v.GenericSchema<string>>(item: Item) => v.pipe(v.array(item), v.maxLength(10));

/** RFC 7591 §2. Unknown members are ignored (§3.1); these are checked and kept. */
export const CLIENT_METADATA = v.object({
  redirect_uris: v.pipe(tenOf(v.pipe(v.string(), v.check(isRegistrableRedirectUri))), v.minLength(1)),
  client_name: v.optional(
    v.pipe(
      plainText(100),
      // Blanks and marks without a letter show as nothing.
      v.transform((text) => (/[\p{L}\p{N}\p{S}]/u.test(text) ? text : UNNAMED_CLIENT)),
    ),
    UNNAMED_CLIENT,
  ),
  token_endpoint_auth_method: v.optional(v.picklist(AUTH_METHODS), "client_secret_basic"),
  grant_types: v.optional(
    v.pipe(
      tenOf(v.string()),
      v.check((types) => types.includes("authorization_code")),
      v.transform((types) => GRANT_TYPES.filter((type) => types.includes(type))),
    ),
    [...GRANT_TYPES],
  ),
  response_types: v.optional(
    v.pipe(
      tenOf(v.string()),
      v.check((types) => types.includes("code")),
      v.transform(() => ["code"]),
    ),
    ["code"],
  ),
  client_uri: WEB_LINK,
  logo_uri: WEB_LINK,
  policy_uri: WEB_LINK,
  tos_uri: WEB_LINK,
  contacts: v.optional(tenOf(plainText(256))),
  // MCP 2026-07-28 client-registration: clients send it; it changes nothing here.
  application_type: v.optional(v.picklist(["native", "web"])),
});

/** What is asked of the members that are most often refused. */
const RULES: { readonly [member: string]: string | undefined } = {
  redirect_uris:
    "up to 10 of https, http on loopback, or a private-use scheme with a dot; without fragment, user or wildcard",
  client_name: "at most 100 plain characters",
  grant_types: "must include authorization_code",
};

export type ClientMetadata = v.InferOutput<typeof CLIENT_METADATA>;

/** POST /register (RFC 7591 §3). Never idempotent: each registration is a client of its own. */
export async function register(context: OAuthContext): Promise<Response> {
  const { request, now } = context;
  const metadata = await readMetadata(request);
  if (!metadata.ok) return oauthError(metadata.error, context);
  const { token_endpoint_auth_method: authMethod } = metadata.value;
  const secret = authMethod === "none" ? undefined : randomSecret();
  const clientId = randomUuid().replaceAll("-", "");
  const clientSecretHash = secret && (await sha256(secret));
  const client = { clientId, ...clientFields(metadata.value), clientSecretHash, registeredAt: now };
  await context.clients.save(client);
  const facts = { clientId, redirectHosts: client.redirectUris.map(redirectHost), authMethod };
  context.log({ level: "INFO", message: "OAuth client registered", metadata: facts });
  // RFC 7591 §3.2.1: all registered metadata, and the secret this once.
  return json(201, {
    client_id: clientId,
    client_secret: secret,
    client_secret_expires_at: secret && 0,
    client_id_issued_at: now,
    ...metadata.value,
  });
}

async function readMetadata(request: Request): Promise<Result<ClientMetadata, Refusal>> {
  const value = await readJson(request, MAX_REGISTRATION_BYTES);
  if (value.ok && isJsonObject(value.value)) return checkMetadata(value.value);
  if (!value.ok && value.error === "body_too_large") {
    const refusal = parameterRefusal({ reason: value.error }, MAX_REGISTRATION_BYTES);
    return err({ ...refusal, error: "invalid_client_metadata" });
  }
  return refuse("invalid_client_metadata", "json_malformed", "Send one JSON object.");
}

/** The same rules for a registration and for a client metadata document. */
export function checkMetadata(value: JsonObject): Result<ClientMetadata, Refusal> {
  // Some clients send what they do not have as null or as an empty text; that is as good as leaving it out.
  const given = Object.entries(value).filter(([, member]) => member !== null && member !== "");
  const metadata = v.safeParse(CLIENT_METADATA, Object.fromEntries(given));
  if (metadata.success) return ok(metadata.output);
  const member = String(metadata.issues[0].path?.[0]?.key);
  // RFC 7591 §3.2.2
  const error = member === "redirect_uris" ? "invalid_redirect_uri" : "invalid_client_metadata";
  return refuse(error, "metadata_refused", `${member}: ${RULES[member] ?? "this value is not supported"}.`);
}

/** From the names of RFC 7591 to ours. */
export function clientFields(metadata: ClientMetadata) {
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
