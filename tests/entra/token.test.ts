// EN-02, EN-05, EN-06: what Entra's answer to a token request means. Decided by `error`, never by its description.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds, epochSeconds } from "../../src/core/time.ts";
import { type EntraFailure, readTokenAnswer } from "../../src/entra/token.ts";

const NOW = epochSeconds(1_800_000_000_000);
const TOKENS = {
  token_type: "Bearer",
  scope: "https://graph.microsoft.com/Mail.Read openid",
  expires_in: 3599,
  access_token: "access",
  refresh_token: "refresh",
  id_token: "id",
};

function read(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = body === undefined ? "<html>" : JSON.stringify(body);
  return readTokenAnswer(new Response(text, { status, headers }), NOW);
}

async function failure(status: number, body: unknown, headers?: Record<string, string>): Promise<EntraFailure> {
  const answer = await read(status, body, headers);
  return answer.ok ? assert.fail("tokens") : answer.error;
}

const REFUSED: readonly (readonly [error: string, kind: EntraFailure["kind"]])[] = [
  ["invalid_grant", "ended"],
  ["interaction_required", "ended"],
  ["consent_required", "ended"],
  ["login_required", "ended"],
  ["access_denied", "ended"],
  ["temporarily_unavailable", "unavailable"],
  ["server_error", "unavailable"],
  ["invalid_client", "misconfigured"],
  ["unauthorized_client", "misconfigured"],
  ["invalid_request", "misconfigured"],
  ["invalid_scope", "misconfigured"],
  ["something_new", "misconfigured"],
];

for (const [error, kind] of REFUSED) {
  test(`EN-06: ${error} means ${kind}`, async () => {
    const read = await failure(400, { error });
    assert.deepEqual([read.kind, read.error], [kind, error]);
  });
}

test("EN-06: the description decides nothing", async () => {
  const body = {
    error: "invalid_client",
    error_description: "AADSTS700082: invalid_grant, the refresh token has expired.",
  };
  assert.equal((await failure(401, body)).kind, "misconfigured");
});

for (const status of [429, 500, 502, 503, 504]) {
  test(`EN-06: ${status} keeps the grant, whatever the body says`, async () => {
    assert.equal((await failure(status, { error: "invalid_grant" })).kind, "unavailable");
  });
}

const MALFORMED: readonly (readonly [what: string, status: number, body: unknown])[] = [
  ["no JSON", 200, undefined],
  ["a page", 400, undefined],
  ["a redirect", 302, undefined],
  ["an empty object", 200, {}],
  ["no access token", 200, { ...TOKENS, access_token: undefined }],
  ["an empty access token", 200, { ...TOKENS, access_token: "" }],
  ["a lifetime as text", 200, { ...TOKENS, expires_in: "3599" }],
  ["no lifetime", 200, { ...TOKENS, expires_in: undefined }],
  ["a lifetime of zero", 200, { ...TOKENS, expires_in: 0 }],
  ["a negative lifetime", 200, { ...TOKENS, expires_in: -1 }],
  ["a broken lifetime", 200, { ...TOKENS, expires_in: 1.5 }],
  ["a refresh token that is no text", 200, { ...TOKENS, refresh_token: 1 }],
  ["tokens with another status", 201, TOKENS],
  ["an error that is no text", 400, { error: { code: "invalid_grant" } }],
];

for (const [what, status, body] of MALFORMED) {
  test(`EN-02: ${what} is an answer that keeps the grant`, async () => {
    const { kind, error } = await failure(status, body);
    assert.deepEqual([kind, error], ["unavailable", "answer_malformed"]);
  });
}

test("EN-02: an error in a 200 is an error", async () =>
  assert.equal((await failure(200, { error: "invalid_grant" })).kind, "ended"));

test("LG-07: of a refusal only codes and the trace id are kept", async () => {
  const body = {
    error: "invalid_grant",
    error_description: "AADSTS50173: for ada.novak@contoso.example",
    error_codes: [50173],
    trace_id: "trace-1",
    correlation_id: "correlation-1",
  };
  assert.deepEqual(await failure(400, body), {
    kind: "ended",
    error: "invalid_grant",
    errorCodes: [50173],
    traceId: "trace-1",
    retryAfterSeconds: undefined,
  });
});

for (const [header, seconds] of [
  ["17", 17],
  ["0", 0],
  ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
  ["soon", undefined],
  ["", undefined],
  ["-5", undefined],
] as const) {
  test(`RFC 9110 §10.2.3: Retry-After "${header}" is ${seconds} seconds`, async () => {
    assert.equal((await failure(503, undefined, { "Retry-After": header })).retryAfterSeconds, seconds);
  });
}

test("EN-02: tokens are read with the moment they end and the names of their scopes", async () => {
  assert.deepEqual(await read(200, TOKENS), {
    ok: true,
    value: {
      accessToken: "access",
      refreshToken: "refresh",
      idToken: "id",
      expiresAt: addSeconds(NOW, 3599),
      scopes: ["Mail.Read", "openid"],
    },
  });
});

test("EN-05: an answer without a refresh token says that there is none", async () => {
  const answer = await read(200, { ...TOKENS, refresh_token: undefined });
  assert.deepEqual(answer.ok && [answer.value.accessToken, answer.value.refreshToken], ["access", undefined]);
});

test("EN-02: members that we do not know change nothing", async () => {
  assert.deepEqual(await read(200, { ...TOKENS, foci: "1", ext_expires_in: 1 }), await read(200, TOKENS));
});
