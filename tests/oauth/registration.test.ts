// OA-04, RFC 7591.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/crypto/hash.ts";
import { checkMetadata, MAX_REGISTRATION_BYTES, register } from "../../src/oauth/registration.ts";
import { fakeContext, NOW } from "./context.ts";

const MINIMAL = { client_name: "A client", redirect_uris: ["https://app.example.com/callback"] };

type Body = Readonly<Record<string, unknown>>;

function post(body: BodyInit) {
  const context = fakeContext({ path: "/register", init: { method: "POST", body } });
  return { context, answer: register(context) };
}

async function registered(metadata: Body) {
  const { context, answer } = post(JSON.stringify(metadata));
  const response = await answer;
  return { status: response.status, body: (await response.json()) as Body, context };
}

function refusal(changes: Body): readonly [string, string] | undefined {
  const metadata = checkMetadata({ ...MINIMAL, ...changes });
  return metadata.ok ? undefined : [metadata.error.error, metadata.error.description];
}

const REDIRECTS_REFUSED: readonly (readonly [what: string, value: unknown])[] = [
  ["missing", undefined],
  ["null", null],
  ["a text", "https://app.example.com/callback"],
  ["none", []],
  ["eleven", Array.from({ length: 11 }, (_, index) => `https://app.example.com/${index}`)],
  ["a number", [1]],
  ["a script", ["javascript:alert(1)"]],
  ["one good and one bad", ["https://app.example.com/callback", "data:text/html,x"]],
  ["plain http off loopback", ["http://app.example.com/callback"]],
  ["2,049 characters long", [`https://app.example.com/${"a".repeat(2025)}`]],
];

for (const [what, redirect_uris] of REDIRECTS_REFUSED) {
  test(`OA-04: redirect_uris that are ${what} are invalid_redirect_uri`, () => {
    assert.equal(refusal({ redirect_uris })?.[0], "invalid_redirect_uri");
  });
}

const METADATA_REFUSED: readonly (readonly [member: string, what: string, value: unknown])[] = [
  ["client_name", "101 characters", "a".repeat(101)],
  ["client_name", "101 emoji", "🌳".repeat(101)],
  ["client_name", "a line break", "a\nb"],
  ["client_name", "a right-to-left override", "a\u202eb"],
  ["client_name", "an object", {}],
  ["token_endpoint_auth_method", "private_key_jwt", "private_key_jwt"],
  ["token_endpoint_auth_method", "client_secret_jwt", "client_secret_jwt"],
  ["grant_types", "implicit alone", ["implicit"]],
  ["grant_types", "refresh_token alone", ["refresh_token"]],
  ["grant_types", "a text", "authorization_code"],
  ["grant_types", "eleven of them", Array.from({ length: 11 }, () => "authorization_code")],
  ["response_types", "token alone", ["token"]],
  ["client_uri", "a script", "javascript:alert(1)"],
  ["client_uri", "a script in capitals", "JAVASCRIPT:alert(1)"],
  ["logo_uri", "data", "data:image/png;base64,AAAA"],
  ["policy_uri", "a file", "file:///etc/passwd"],
  ["tos_uri", "relative", "/terms"],
  ["tos_uri", "2,049 characters", `https://app.example.com/${"a".repeat(2025)}`],
  ["contacts", "eleven of them", Array.from({ length: 11 }, () => "a@app.example.com")],
  ["contacts", "one of 257 characters", ["a".repeat(257)]],
  ["contacts", "an object", [{}]],
];

for (const [member, what, value] of METADATA_REFUSED) {
  test(`OA-04: ${member} of ${what} is invalid_client_metadata and named`, () => {
    const [error, description] = refusal({ [member]: value }) ?? [];
    assert.deepEqual([error, description?.startsWith(member)], ["invalid_client_metadata", true]);
  });
}

test("ER-05: a refusal never repeats what was sent", () => {
  const secret = "javascript:alert(document.cookie)";
  for (const member of ["redirect_uris", "client_uri", "token_endpoint_auth_method", "application_type"]) {
    const value = member === "redirect_uris" ? [secret] : secret;
    assert.equal(refusal({ [member]: value })?.[1].includes(secret), false, member);
  }
});

test("RFC 6749 §5.2: a refusal is described in printable ASCII without quote and backslash", () => {
  for (const [member, , value] of METADATA_REFUSED) {
    assert.match(refusal({ [member]: value })?.[1] ?? "", /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  }
});

const BODIES: readonly (readonly [what: string, body: BodyInit, status: number])[] = [
  ["nothing", "", 400],
  ["no JSON", "redirect_uris=https://app.example.com/", 400],
  ["a list", "[]", 400],
  ["null", "null", 400],
  ["a text", '"a"', 400],
  ["bytes that are no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), 400],
  ["deep nesting", `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, 400],
  ["one byte over 16 KiB", JSON.stringify({ ...MINIMAL, x: "" }).padEnd(MAX_REGISTRATION_BYTES + 1), 413],
];

for (const [what, body, status] of BODIES) {
  test(`OA-04: a body of ${what} is ${status} and registers nobody`, async () => {
    const { context, answer } = post(body);
    assert.deepEqual([(await answer).status, context.saved], [status, []]);
  });
}

test("OA-04: 16 KiB pass", async () => {
  const body = JSON.stringify(MINIMAL).padEnd(MAX_REGISTRATION_BYTES);
  assert.equal((await post(body).answer).status, 201);
});

test("OA-04: the least that may be sent is registered with the defaults of RFC 7591", async () => {
  const { status, body } = await registered(MINIMAL);
  const { client_id, client_secret, ...rest } = body;
  assert.equal(status, 201);
  assert.deepEqual(rest, {
    ...MINIMAL,
    client_id_issued_at: NOW,
    client_secret_expires_at: 0,
    token_endpoint_auth_method: "client_secret_basic",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
  });
});

test("ST-02: the secret is stored as SHA-256 and nowhere as text", async () => {
  const { body, context } = await registered(MINIMAL);
  const [client] = context.saved;
  assert.equal(client?.clientSecretHash, await sha256(String(body.client_secret)));
  assert.equal(JSON.stringify([client, context.events]).includes(String(body.client_secret)), false);
});

test("OA-04: a public client gets no secret", async () => {
  const { body, context } = await registered({ ...MINIMAL, token_endpoint_auth_method: "none" });
  assert.deepEqual(["client_secret" in body, context.saved[0]?.clientSecretHash], [false, undefined]);
});

test("OA-04: every registration is a client of its own", async () => {
  const [one, two] = await Promise.all([registered(MINIMAL), registered(MINIMAL)]);
  assert.notEqual(one.body.client_id, two.body.client_id);
});

test("OA-04: a client id of ours never looks like a token, a URL or the static id", async () => {
  assert.match(String((await registered(MINIMAL)).body.client_id), /^[0-9a-f]{32}$/);
});

test("RFC 7591 §3.2.1: all that was accepted is echoed, and what is unknown is not", async () => {
  const sent = {
    ...MINIMAL,
    client_uri: "https://app.example.com",
    logo_uri: "https://app.example.com/logo.png",
    policy_uri: "http://app.example.com/privacy",
    tos_uri: "https://app.example.com/terms",
    contacts: ["help@app.example.com"],
    application_type: "native",
  };
  const { body } = await registered({ ...sent, software_id: "x", client_id: "chosen", client_secret: "chosen" });
  for (const [member, value] of Object.entries(sent)) assert.deepEqual(body[member], value, member);
  assert.deepEqual(
    [body.software_id, body.client_id === "chosen", body.client_secret === "chosen"],
    [undefined, false, false],
  );
});

test("RFC 7591 §2: grant types that do not exist here are left out of what is registered", async () => {
  const { body } = await registered({ ...MINIMAL, grant_types: ["authorization_code", "implicit", "password"] });
  assert.deepEqual(body.grant_types, ["authorization_code"]);
});

test("RFC 7591 §2: response types that do not exist here are left out of what is registered", async () => {
  const { body } = await registered({ ...MINIMAL, response_types: ["token", "code", "code id_token"] });
  assert.deepEqual(body.response_types, ["code"]);
});

test("OA-04: a character of a name is a code point, so 100 emoji pass", async () => {
  const client_name = "🌳".repeat(100);
  assert.equal((await registered({ ...MINIMAL, client_name })).body.client_name, client_name);
});

test("ST-03: what is stored is what was registered", async () => {
  const { body, context } = await registered({ ...MINIMAL, client_uri: "https://app.example.com" });
  const stored: unknown = JSON.parse(JSON.stringify(context.saved[0]));
  const { clientSecretHash: _, ...client } = stored as Body;
  assert.deepEqual(client, {
    clientId: body.client_id,
    clientName: "A client",
    redirectUris: MINIMAL.redirect_uris,
    tokenEndpointAuthMethod: "client_secret_basic",
    grantTypes: ["authorization_code", "refresh_token"],
    clientUri: "https://app.example.com",
    registeredAt: NOW,
  });
});

for (const absent of [null, ""]) {
  test(`OA-04: optional members that are ${JSON.stringify(absent)} count as left out`, async () => {
    const { status, body } = await registered({ ...MINIMAL, logo_uri: absent, client_uri: absent, tos_uri: absent });
    assert.equal(status, 201);
    assert.ok(!("logo_uri" in body) && !("client_uri" in body));
  });
}
