import assert from "node:assert/strict";
import { test } from "node:test";
import { signInChallenge, stepUpChallenge } from "../../src/oauth/challenge.ts";
import { ORIGIN } from "./context.ts";

/** RFC 9110 §11.3: a scheme, then parameters with quoted strings; throws on anything else. */
function read(header: string): Record<string, string> {
  const [, list = ""] = /^Bearer (.+)$/.exec(header) ?? [];
  const parameter = /([A-Za-z_]+)="((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*)"(?:, |$)/y;
  const parameters: Record<string, string> = {};
  while (parameter.lastIndex < list.length) {
    const [, name = "", value = ""] = parameter.exec(list) ?? assert.fail(`not a list of parameters: ${header}`);
    assert.ok(!(name in parameters), `${name} twice`);
    parameters[name] = value;
  }
  return parameters;
}

test("AU-01: the sign-in challenge is invalid_token with metadata of the path hit and the scopes needed", () => {
  const { error_description, ...rest } = read(signInChallenge(ORIGIN, "/sse", ["Mail.Read", "User.Read"]));
  assert.deepEqual(rest, {
    error: "invalid_token",
    resource_metadata: `${ORIGIN}/.well-known/oauth-protected-resource/sse`,
    scope: "Mail.Read User.Read",
  });
  assert.ok(error_description);
});

test("AU-01: what needs no scope names none", () => {
  assert.equal("scope" in read(signInChallenge(ORIGIN, "/mcp", [])), false);
});

test("AU-03: the step-up challenge is insufficient_scope with all scopes", () => {
  const { error, scope, resource_metadata } = read(stepUpChallenge(ORIGIN, "/mcp", ["User.Read", "Mail.Send"]));
  assert.deepEqual(
    [error, scope, resource_metadata],
    ["insufficient_scope", "User.Read Mail.Send", `${ORIGIN}/.well-known/oauth-protected-resource/mcp`],
  );
});

for (const challenge of [signInChallenge, stepUpChallenge]) {
  test(`RFC 6750 §3: ${challenge.name} describes itself without quote, backslash or letters outside ASCII`, () => {
    assert.match(
      read(challenge(ORIGIN, "/sse", ["Mail.Read"])).error_description ?? "",
      /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/,
    );
  });
}
