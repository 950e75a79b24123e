import assert from "node:assert/strict";
import { test } from "node:test";
import { type OAuthErrorCode, oauthError, parameterRefusal, quoteName } from "../../src/oauth/errors.ts";
import { fakeContext } from "./context.ts";

function answer(error: OAuthErrorCode, more: { status?: number; retryAfterSeconds?: number } = {}) {
  const context = fakeContext({ path: "/token" });
  return {
    context,
    response: oauthError({ error, reason: "inner_reason", description: "What to do.", ...more }, context),
  };
}

const STATUSES: readonly (readonly [error: OAuthErrorCode, status: number])[] = [
  ["invalid_request", 400],
  ["invalid_client", 401],
  ["invalid_grant", 400],
  ["unauthorized_client", 400],
  ["unsupported_grant_type", 400],
  ["invalid_scope", 400],
  ["invalid_target", 400],
  ["invalid_redirect_uri", 400],
  ["invalid_client_metadata", 400],
  ["temporarily_unavailable", 503],
  ["server_error", 500],
];

for (const [error, status] of STATUSES) {
  test(`OA-14: ${error} is ${status}`, () => assert.equal(answer(error).response.status, status));
}

test("OA-14: the body is error and error_description and nothing of the reason", async () => {
  const body = await answer("invalid_grant").response.json();
  assert.deepEqual(body, { error: "invalid_grant", error_description: "What to do." });
});

test("OA-14: the reason goes to the log", () => {
  const { context } = answer("invalid_grant");
  assert.equal(context.events[0]?.code, "inner_reason");
});

test("RFC 6749 §5.2: invalid_client names the scheme", () => {
  assert.match(answer("invalid_client").response.headers.get("WWW-Authenticate") ?? "", /^Basic realm="/);
});

test("RFC 6749 §5.2: no other error asks for credentials", () => {
  const asking = STATUSES.filter(([error]) => answer(error).response.headers.has("WWW-Authenticate"));
  assert.deepEqual(asking, [["invalid_client", 401]]);
});

test("OA-14: what passes by itself says when to come back", () => {
  const { response } = answer("temporarily_unavailable", { retryAfterSeconds: 7 });
  assert.equal(response.headers.get("Retry-After"), "7");
});

test("OA-14: a body over its bound is 413 invalid_request", () => {
  const { error, status } = parameterRefusal({ reason: "body_too_large" }, 1024);
  assert.deepEqual([error, status], ["invalid_request", 413]);
});

for (const reason of ["form_content_type", "form_malformed"] as const) {
  test(`OA-14: ${reason} is invalid_request`, () =>
    assert.equal(parameterRefusal({ reason }, 1024).error, "invalid_request"));
}

test("OA-18: a repeated parameter is invalid_request and named", () => {
  const { error, description } = parameterRefusal({ reason: "parameter_repeated", name: "code", single: {} }, 1024);
  assert.deepEqual([error, description.includes("'code'")], ["invalid_request", true]);
});

test("RFC 6749 §5.2: a quoted name holds printable ASCII without quote and backslash, and not much of it", () => {
  assert.equal(quoteName(`a"\\\n${"é".repeat(3)}`), "'a??????'");
  assert.equal(quoteName("a".repeat(200)).length, 66);
});
