// OA-07, OA-08, OA-14: what is refused before the grant's object is asked, and what its answers become on the wire.
import assert from "node:assert/strict";
import { test } from "node:test";
import { addSeconds } from "../../src/core/time.ts";
import { sha256 } from "../../src/crypto/hash.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { mintGrantId, mintToken, type TokenKind } from "../../src/crypto/token.ts";
import type { GraphScope } from "../../src/graph/scopes.ts";
import type { Client } from "../../src/oauth/client.ts";
import type { CodeProblem } from "../../src/oauth/grant/code.ts";
import type { RefreshProblem } from "../../src/oauth/grant/refresh.ts";
import type { MicrosoftProblem, RedeemCode, RefreshTokens, TokenResponse } from "../../src/oauth/grants.ts";
import { MAX_TOKEN_REQUEST_BYTES, token } from "../../src/oauth/token.ts";
import { KEY_ONE, KEY_TWO } from "../environment.ts";
import { fakeContext, NOW, ORIGIN, PUBLIC_CLIENT, postForm } from "./context.ts";
import { authorization } from "./grant/life.ts";

const ring = await loadKeyRing(KEY_ONE, undefined);
const gid = mintGrantId();
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const clientId = PUBLIC_CLIENT.clientId;

async function mint(kind: TokenKind, lifetimeSeconds = 60, keys = ring): Promise<string> {
  return (await mintToken(keys, kind, gid, addSeconds(NOW, lifetimeSeconds))).text;
}

const REDEEM = {
  grant_type: "authorization_code",
  client_id: clientId,
  code: await mint("m365c"),
  code_verifier: VERIFIER,
};
const REFRESH = { grant_type: "refresh_token", client_id: clientId, refresh_token: await mint("m365r") };

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
  readonly gids: readonly string[];
  readonly asked: { redeem?: RedeemCode; refresh?: RefreshTokens };
}

interface Options {
  readonly client?: Client;
  readonly refuses?: CodeProblem | RefreshProblem | MicrosoftProblem;
  readonly retryAfterSeconds?: number;
  readonly headers?: Record<string, string>;
}

async function post(form: Readonly<Record<string, string>> | string, options: Options = {}): Promise<Answer> {
  const asked: { redeem?: RedeemCode; refresh?: RefreshTokens } = {};
  const { refuses: reason = "code_unknown", retryAfterSeconds } = options;
  const refused = {
    kind: "refused",
    reason: reason as never,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  } as const;
  const context = fakeContext({
    path: "/token",
    init: postForm(form, options.headers),
    clients: [options.client ?? PUBLIC_CLIENT],
    grant: {
      async redeemCode(input) {
        asked.redeem = input;
        return refused;
      },
      async refreshTokens(input) {
        asked.refresh = input;
        return refused;
      },
    },
  });
  const { status, headers, ...response } = await token(context).then(async (answer) => ({
    status: answer.status,
    headers: answer.headers,
    body: (await answer.json()) as Answer["body"],
  }));
  return { status, headers, ...response, gids: context.gids, asked };
}

const without = (form: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(form).filter(([key]) => key !== name));

const UNASKED: readonly (readonly [
  what: string,
  error: string,
  form: Readonly<Record<string, string>> | string,
  options?: Options,
])[] = [
  ["no grant_type", "invalid_request", without(REDEEM, "grant_type")],
  ["grant_type=password", "unsupported_grant_type", { ...REDEEM, grant_type: "password" }],
  ["grant_type=client_credentials", "unsupported_grant_type", { ...REDEEM, grant_type: "client_credentials" }],
  ["a JSON body", "invalid_request", JSON.stringify(REDEEM), { headers: { "Content-Type": "application/json" } }],
  ["a doubled parameter", "invalid_request", `${new URLSearchParams(REDEEM)}&code=2`],
  ["a body over its bound", "invalid_request", { ...REDEEM, x: "a".repeat(MAX_TOKEN_REQUEST_BYTES) }],
  ["no client", "invalid_client", without(REDEEM, "client_id")],
  ["an unknown client", "invalid_client", { ...REDEEM, client_id: "stranger" }],
  ["a secret of a client without one", "invalid_client", { ...REDEEM, client_secret: "x" }],
  ["a broken Authorization header", "invalid_client", REDEEM, { headers: { Authorization: "Basic ab=" } }],
  ["no code", "invalid_request", without(REDEEM, "code")],
  ["no code_verifier", "invalid_request", without(REDEEM, "code_verifier")],
  ["a foreign resource", "invalid_target", { ...REDEEM, resource: "https://graph.microsoft.com" }],
  ["a code that is none", "invalid_grant", { ...REDEEM, code: "x" }],
  ["a code of a megabyte cut to size", "invalid_grant", { ...REDEEM, code: REDEEM.code + "A".repeat(4000) }],
  [
    "a forged code",
    "invalid_grant",
    { ...REDEEM, code: await mint("m365c", 60, await loadKeyRing(KEY_TWO, undefined)) },
  ],
  ["a code that expired this second", "invalid_grant", { ...REDEEM, code: await mint("m365c", 0) }],
  ["a refresh token as code", "invalid_grant", { ...REDEEM, code: await mint("m365r") }],
  ["an access token as code", "invalid_grant", { ...REDEEM, code: await mint("m365a") }],
  ["our state as code", "invalid_grant", { ...REDEEM, code: await mint("m365s") }],
  ["no refresh token", "invalid_request", without(REFRESH, "refresh_token")],
  ["a code as refresh token", "invalid_grant", { ...REFRESH, refresh_token: await mint("m365c") }],
  ["an access token as refresh token", "invalid_grant", { ...REFRESH, refresh_token: await mint("m365a") }],
  ["an expired refresh token", "invalid_grant", { ...REFRESH, refresh_token: await mint("m365r", 0) }],
  ["a foreign resource at refresh", "invalid_target", { ...REFRESH, resource: "https://graph.microsoft.com" }],
  ["nothing but unknown scopes at refresh", "invalid_scope", { ...REFRESH, scope: "Files.Read" }],
  [
    "a client that is not registered for refresh",
    "unauthorized_client",
    REFRESH,
    { client: { ...PUBLIC_CLIENT, grantTypes: ["authorization_code"] } },
  ],
];

for (const [what, error, form, options] of UNASKED) {
  test(`OA-14: ${what} is ${error}`, async () => assert.equal((await post(form, options)).body.error, error));
  test(`OA-07: ${what} never reaches the grant's object`, async () =>
    assert.deepEqual((await post(form, options)).gids, []));
}

const REFUSED: readonly (readonly [reason: CodeProblem, error: string])[] = [
  ["code_unknown", "invalid_grant"],
  ["code_expired", "invalid_grant"],
  ["code_replayed", "invalid_grant"],
  ["code_burned", "invalid_grant"],
  ["client_mismatch", "invalid_grant"],
  ["redirect_mismatch", "invalid_grant"],
  ["verifier_mismatch", "invalid_grant"],
  ["resource_mismatch", "invalid_target"],
];

for (const [reason, error] of REFUSED) {
  test(`RFC 6749 §5.2: ${reason} is ${error} with 400`, async () => {
    const { status, body } = await post(REDEEM, { refuses: reason });
    assert.deepEqual([status, body.error], [400, error]);
  });
}

const REFRESH_REFUSED: readonly (readonly [
  reason: RefreshProblem | MicrosoftProblem,
  status: number,
  error: string,
])[] = [
  ["refresh_unknown", 400, "invalid_grant"],
  ["refresh_reused", 400, "invalid_grant"],
  ["client_mismatch", 400, "invalid_grant"],
  ["resource_mismatch", 400, "invalid_target"],
  ["scope_widened", 400, "invalid_scope"],
  ["microsoft_ended", 400, "invalid_grant"],
  ["microsoft_unavailable", 503, "temporarily_unavailable"],
];

for (const [reason, status, error] of REFRESH_REFUSED) {
  test(`OA-08: at refresh ${reason} is ${error} with ${status}`, async () => {
    const answer = await post(REFRESH, { refuses: reason });
    assert.deepEqual([answer.status, answer.body.error], [status, error]);
  });
}

test("OA-08: while Microsoft is not there the answer says when to come back", async () => {
  const { headers } = await post(REFRESH, { refuses: "microsoft_unavailable", retryAfterSeconds: 17 });
  assert.equal(headers.get("Retry-After"), "17");
});

test("OA-08: it says so too when Microsoft did not", async () => {
  const { headers } = await post(REFRESH, { refuses: "microsoft_unavailable" });
  assert.match(headers.get("Retry-After") ?? "", /^[1-9]\d*$/);
});

test("OA-14: one stale refresh token never costs a client its registration", async () => {
  for (const refuses of ["refresh_unknown", "refresh_reused", "client_mismatch"] as const) {
    assert.notEqual((await post(REFRESH, { refuses })).body.error, "invalid_client");
  }
});

for (const [what, form] of [
  ["redemption", REDEEM],
  ["refresh", REFRESH],
] as const) {
  test(`D-46: a ${what} slides the registration, whatever becomes of the index`, async () => {
    const answer = { kind: "issued", response: {} as TokenResponse, authorization: authorization() } as const;
    const context = fakeContext({
      path: "/token",
      init: postForm(form),
      grant: { redeemCode: async () => answer, refreshTokens: async () => answer },
    });
    const [touched, outcomes]: [string[], Promise<string>[]] = [[], []];
    await token({
      ...context,
      clients: { ...context.clients, touch: async (client) => void touched.push(client.clientId) },
      registrations: {} as KVNamespace,
      waitUntil: (work) =>
        outcomes.push(
          work.then(
            () => "done",
            () => "failed",
          ),
        ),
    });
    assert.deepEqual(await Promise.all(outcomes), ["failed", "done"]);
    assert.deepEqual(touched, [clientId]);
  });
}

test("OA-07: the object is told what the client sent", async () => {
  const form = { ...REDEEM, redirect_uri: "https://app.example.com/callback" };
  const { asked, gids } = await post(form);
  const { trace: _, ...input } = asked.redeem ?? assert.fail("not asked");
  assert.deepEqual(gids, [gid]);
  assert.deepEqual(input, {
    gid,
    origin: ORIGIN,
    codeHash: await sha256(REDEEM.code),
    clientId,
    redirectUri: form.redirect_uri,
    computedChallenge: await sha256(VERIFIER),
  });
});

test("RFC 7636 §4.1: a verifier that cannot be one is counted as a wrong one", async () => {
  const { asked } = await post({ ...REDEEM, code_verifier: "short" });
  assert.equal(asked.redeem?.computedChallenge, "");
});

const NARROWED: readonly (readonly [scope: string | undefined, asked: readonly GraphScope[] | undefined])[] = [
  [undefined, undefined],
  ["Mail.Read", ["Mail.Read"]],
  ["Mail.Read offline_access", ["Mail.Read"]],
  // Neutral names add no access to Graph, so by themselves they ask for what the grant holds, not for the catalogue.
  ["offline_access", undefined],
  ["openid profile", undefined],
];

for (const [scope, expected] of NARROWED) {
  test(`OA-08, OA-11: scope=${scope ?? "(none)"} at refresh asks for ${expected?.join(" ") ?? "all that was granted"}`, async () => {
    const { asked } = await post(scope === undefined ? REFRESH : { ...REFRESH, scope });
    assert.deepEqual((asked.refresh ?? assert.fail("not asked")).scopes, expected);
  });
}
