import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseJson } from "../../src/core/json.ts";
import { type FailureType, readFailure, readRetryAfter } from "../../src/graph/failure.ts";

const NOW = Date.parse("2026-03-02T09:00:00Z");

function fail(status: number, body: unknown, headers: Record<string, string> = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const parsed = parseJson(text);
  const answer = { status, graphRequestId: undefined, aiGatewayLogId: null };
  return readFailure(parsed.ok ? parsed.value : undefined, new Headers(headers), answer, NOW);
}

const graph = (code: string) => ({ error: { code, message: "Something about ErrorAccessDenied." } });
const gateway = (code: number) => ({ success: false, error: [{ code, message: "m" }] });

const CASES: readonly (readonly [
  type: FailureType,
  status: number,
  body: unknown,
  headers?: Record<string, string>,
])[] = [
  ["graph_bad_request", 400, graph("ErrorInvalidRecipients")],
  ["graph_bad_request", 400, graph("InefficientFilter")],
  ["graph_unauthorized", 401, graph("InvalidAuthenticationToken")],
  ["graph_unauthorized", 401, ""],
  ["graph_forbidden", 403, graph("ErrorAccessDenied")],
  ["graph_forbidden", 403, graph("InsufficientPrivileges")],
  ["graph_not_found", 404, graph("ErrorItemNotFound")],
  ["graph_not_found", 400, graph("ErrorInvalidIdMalformed")],
  ["mailbox_unavailable", 404, graph("MailboxNotEnabledForRESTAPI")],
  ["mailbox_unavailable", 404, graph("ErrorNonExistentMailbox")],
  ["graph_conflict", 409, graph("nameAlreadyExists")],
  ["graph_conflict", 412, graph("ErrorIrresolvableConflict")],
  ["graph_too_large", 413, ""],
  ["graph_too_large", 400, graph("ErrorMessageSizeExceeded")],
  ["graph_too_large", 507, graph("quotaLimitReached")],
  ["graph_throttled", 429, graph("TooManyRequests")],
  ["graph_throttled", 503, graph("ApplicationThrottled")],
  ["graph_unavailable", 423, graph("ErrorMailboxMoveInProgress")],
  ["graph_unavailable", 500, graph("generalException")],
  ["graph_unavailable", 502, "<html>502 Bad Gateway</html>"],
  ["graph_unavailable", 503, ""],
  ["graph_timeout", 504, graph("UnknownError")],
  ["gateway_policy", 424, gateway(2029)],
  ["gateway_policy", 424, gateway(2030)],
  ["gateway_policy", 424, gateway(2016)],
  ["gateway_policy", 400, gateway(2017)],
  ["gateway_policy", 403, "", { "cf-aig-dlp": '{"findings":[],"action":"BLOCK"}' }],
  ["graph_conflict", 409, "", { "cf-aig-dlp": '{"findings":[{"policy_ids":["block"]}],"action":"FLAG"}' }],
  ["gateway_rate_limited", 429, { code: 2003, message: "Rate limited" }],
  ["gateway_rate_limited", 429, gateway(2003)],
  ["gateway_rate_limited", 429, { errors: [{ code: 10000 }] }],
  ["gateway_unavailable", 401, { ...gateway(2009), name: "AiGatewayError", internalCode: 2009 }],
  ["gateway_unavailable", 500, gateway(2005)],
  ["gateway_unavailable", 503, gateway(7013)],
  ["gateway_unavailable", 404, { success: false, errors: [{ code: 5007, message: "Model not found" }] }],
];

for (const [type, status, body, headers] of CASES) {
  test(`ER-08 GW-05: ${status} ${JSON.stringify(body).slice(0, 60)} is ${type}`, () => {
    assert.equal(fail(status, body, headers).type, type);
  });
}

test("ER-08: the message decides nothing, whatever it says (property)", () => {
  fc.assert(
    fc.property(fc.string(), (message) => {
      assert.equal(fail(400, { error: { code: "BadRequest", message } }).type, "graph_bad_request");
    }),
  );
});

test("ER-08: nothing that can come back makes it throw (property)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.json(), fc.string()), (status, body) => {
      assert.equal(typeof fail(status, body).type, "string");
    }),
  );
});

test("EN-06: a claims challenge is told from an expired token", () => {
  const claims = 'Bearer realm="", error="insufficient_claims", claims="eyJ9"';
  assert.equal(fail(401, graph("InvalidAuthenticationToken"), { "www-authenticate": claims }).isClaimsChallenge, true);
  // Whatever a description says: only the challenge itself ends a sign-in that a refresh would mend.
  for (const expired of [
    'Bearer realm=""',
    'Bearer error="invalid_token", error_description="The claims have expired."',
  ]) {
    const { isClaimsChallenge } = fail(401, graph("InvalidAuthenticationToken"), { "www-authenticate": expired });
    assert.equal(isClaimsChallenge, false, expired);
  }
});

const RETRY_AFTER: readonly (readonly [value: string | null, seconds: number | undefined])[] = [
  [null, undefined],
  ["0", 0],
  ["120", 120],
  ["Mon, 02 Mar 2026 09:00:30 GMT", 30],
  ["Mon, 02 Mar 2026 08:00:00 GMT", 0],
  ["soon", undefined],
];

for (const [value, seconds] of RETRY_AFTER) {
  test(`RFC 9110 §10.2.3: Retry-After ${value} is ${seconds} seconds`, () => {
    assert.equal(readRetryAfter(value, NOW), seconds);
  });
}
