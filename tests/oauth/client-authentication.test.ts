// OA-14, RFC 6749 §2.3: who a client is at /token and /revoke.
import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../src/crypto/hash.ts";
import type { Client } from "../../src/oauth/client.ts";
import { authenticateClient } from "../../src/oauth/client-authentication.ts";
import type { Refusal } from "../../src/oauth/errors.ts";
import { fakeContext, PUBLIC_CLIENT } from "./context.ts";

const SECRET = "s3cret with:colon, +plus and ä";
const clientSecretHash = await sha256(SECRET);
const basic: Client = {
  ...PUBLIC_CLIENT,
  clientId: "basic",
  tokenEndpointAuthMethod: "client_secret_basic",
  clientSecretHash,
};
const post: Client = {
  ...PUBLIC_CLIENT,
  clientId: "post",
  tokenEndpointAuthMethod: "client_secret_post",
  clientSecretHash,
};
const open: Client = { ...PUBLIC_CLIENT, clientId: "open" };
const broken: Client = { ...PUBLIC_CLIENT, clientId: "broken", tokenEndpointAuthMethod: "client_secret_basic" };

type Form = Readonly<Record<string, string>>;

function authenticate(form: Form, authorization?: string) {
  const headers = authorization === undefined ? {} : { Authorization: authorization };
  return authenticateClient(
    form,
    fakeContext({ clients: [basic, post, open, broken], init: { method: "POST", headers } }),
  );
}

async function problem(form: Form, authorization?: string): Promise<Refusal> {
  const client = await authenticate(form, authorization);
  return client.ok ? assert.fail("authenticated") : client.error;
}

/** RFC 6749 §2.3.1: form-encoded, joined, base64. */
function header(id: string, secret: string): string {
  const encode = (text: string) => new URLSearchParams({ a: text }).toString().slice(2);
  return `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}`;
}

const REFUSED: readonly (readonly [what: string, reason: string, form: Form, authorization?: string])[] = [
  ["nobody named", "client_missing", {}],
  ["an unknown client", "client_unknown", { client_id: "stranger" }],
  ["an unknown client with a header", "client_unknown", {}, header("stranger", SECRET)],
  ["no secret of a client registered for basic", "method_mismatch", { client_id: "basic" }],
  [
    "the secret in the body of a client registered for basic",
    "method_mismatch",
    { client_id: "basic", client_secret: SECRET },
  ],
  ["the secret in the header of a client registered for post", "method_mismatch", {}, header("post", SECRET)],
  ["no secret of a client registered for post", "method_mismatch", { client_id: "post" }],
  ["a secret of a client registered for none", "method_mismatch", { client_id: "open", client_secret: "x" }],
  ["a header of a client registered for none", "method_mismatch", {}, header("open", "")],
  ["a wrong secret in the header", "secret_mismatch", {}, header("basic", `${SECRET}x`)],
  ["an empty secret in the header", "secret_mismatch", {}, header("basic", "")],
  ["a wrong secret in the body", "secret_mismatch", { client_id: "post", client_secret: "wrong" }],
  ["the stored hash as secret", "secret_mismatch", { client_id: "post", client_secret: clientSecretHash }],
  ["a record without a secret", "secret_mismatch", {}, header("broken", "")],
  ["another scheme", "authorization_malformed", { client_id: "open" }, "Bearer abc"],
  ["Basic without credentials", "authorization_malformed", {}, "Basic"],
  ["credentials that are not base64", "authorization_malformed", {}, "Basic ÿ"],
  ["credentials without a colon", "authorization_malformed", {}, `Basic ${btoa("basic")}`],
  ["credentials without an id", "authorization_malformed", {}, `Basic ${btoa(":secret")}`],
  ["credentials that are not UTF-8", "authorization_malformed", {}, `Basic ${btoa("basic:\xff\xfe")}`],
  ["a broken percent sign", "authorization_malformed", {}, `Basic ${btoa("basic:%zz")}`],
  ["padding that makes an odd length", "authorization_malformed", {}, "Basic ab="],
  ["padding after full groups", "authorization_malformed", {}, "Basic YTpi=="],
  ["a length that no bytes have", "authorization_malformed", {}, "Basic YTpiY"],
  ["credentials of many kilobytes", "authorization_malformed", {}, `Basic ${btoa(`basic:${"a".repeat(4000)}`)}`],
  ["header and body together", "methods_mixed", { client_id: "basic", client_secret: SECRET }, header("basic", SECRET)],
  ["another id in the body", "methods_mixed", { client_id: "open" }, header("basic", SECRET)],
];

for (const [what, reason, form, authorization] of REFUSED) {
  test(`OA-14: ${what} is refused as ${reason}`, async () =>
    assert.equal((await problem(form, authorization)).reason, reason));
}

for (const [what, , form, authorization] of REFUSED.filter(
  ([, reason]) => reason !== "methods_mixed" && reason !== "authorization_malformed",
)) {
  test(`RFC 6749 §5.2: ${what} is invalid_client`, async () =>
    assert.equal((await problem(form, authorization)).error, "invalid_client"));
}

test("RFC 6749 §2.3: two methods at once are invalid_request", async () => {
  assert.equal((await problem({ client_secret: SECRET }, header("basic", SECRET))).error, "invalid_request");
});

for (const [clientId, advice] of [
  ["basic", /use -u client_id:client_secret or register with token_endpoint_auth_method none/],
  ["post", /send client_secret in the body or register with token_endpoint_auth_method none/],
] as const) {
  test(`OA-14, D-06: a call without its secret is told how to send it (${clientId})`, async () =>
    assert.match((await problem({ client_id: clientId })).description, advice));
}

test("OA-14: a call with a secret where none was registered is told to leave it out", async () => {
  assert.match((await problem({ client_id: "open", client_secret: "x" })).description, /none: send no secret/);
});

const PASSED: readonly (readonly [what: string, clientId: string, form: Form, authorization?: string])[] = [
  ["client_secret_basic", "basic", {}, header("basic", SECRET)],
  ["client_secret_basic with the same id in the body", "basic", { client_id: "basic" }, header("basic", SECRET)],
  ["client_secret_basic in lower case", "basic", {}, header("basic", SECRET).replace("Basic", "basic")],
  ["client_secret_post", "post", { client_id: "post", client_secret: SECRET }],
  ["none", "open", { client_id: "open" }],
];

for (const [what, clientId, form, authorization] of PASSED) {
  test(`OA-14: ${what} as registered passes`, async () => {
    const client = await authenticate(form, authorization);
    assert.equal(client.ok && client.value.clientId, clientId);
  });
}
