// OA-05, OA-06, OA-11, OA-16, OA-18: what is judged at GET /authorize, in which order, and where the error goes.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { GraphScope } from "../../src/graph/scopes.ts";
import { authorizationResponse, readAuthorizationRequest } from "../../src/oauth/authorization-request.ts";
import type { Client } from "../../src/oauth/client.ts";
import { fakeContext, ORIGIN, PUBLIC_CLIENT } from "./context.ts";

const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const [REDIRECT_URI = ""] = PUBLIC_CLIENT.redirectUris;
const CATALOGUE: readonly GraphScope[] = ["User.Read", "Mail.Read", "Mail.Send"];

const GOOD = {
  client_id: PUBLIC_CLIENT.clientId,
  redirect_uri: REDIRECT_URI,
  response_type: "code",
  code_challenge: CHALLENGE,
  code_challenge_method: "S256",
  scope: "Mail.Read",
  state: "a state",
};

/** Changes to a good request: null leaves a parameter out, a list repeats it. */
type Changes = Readonly<Record<string, string | null | readonly string[]>>;

function path(changes: Changes): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...GOOD, ...changes })) {
    for (const one of value === null ? [] : [value].flat()) query.append(name, one);
  }
  return `/authorize?${query}`;
}

function read(changes: Changes, clients: readonly Client[] = [PUBLIC_CLIENT]) {
  return readAuthorizationRequest(fakeContext({ path: path(changes), clients, catalogueScopes: CATALOGUE }));
}

async function problem(changes: Changes, clients?: readonly Client[]) {
  const checked = await read(changes, clients);
  return checked.ok ? assert.fail("accepted") : checked.error;
}

const PAGES: readonly (readonly [what: string, reason: string, changes: Changes])[] = [
  ["no client_id", "client_id_missing", { client_id: null }],
  ["an empty client_id", "client_id_missing", { client_id: "" }],
  ["client_id twice", "client_id_missing", { client_id: [GOOD.client_id, GOOD.client_id] }],
  ["redirect_uri twice", "redirect_uri_repeated", { redirect_uri: [REDIRECT_URI, REDIRECT_URI] }],
  ["redirect_uri twice, once empty", "redirect_uri_repeated", { redirect_uri: [REDIRECT_URI, ""] }],
  ["an unknown client", "client_unknown", { client_id: "stranger" }],
  ["another redirect_uri", "redirect_uri_unregistered", { redirect_uri: "https://evil.example/callback" }],
  ["a script as redirect_uri", "redirect_uri_unregistered", { redirect_uri: "javascript:alert(1)" }],
];

for (const [what, reason, changes] of PAGES) {
  test(`RFC 6749 §4.1.2.1: ${what} is a page and never a redirect`, async () => {
    const refused = await problem(changes);
    assert.deepEqual(refused.answerTo === undefined && refused.reason, reason);
  });
  test(`RFC 6749 §4.1.2.1: ${what} is a page, whatever else is wrong`, async () => {
    const all = {
      response_type: "token",
      code_challenge: null,
      scope: "x",
      state: ["1", "2"],
      resource: "https://x.example",
    };
    assert.equal((await problem({ ...all, ...changes })).answerTo, undefined);
  });
}

test("OA-05: no redirect_uri where two are registered is a page", async () => {
  const two = { ...PUBLIC_CLIENT, redirectUris: [...PUBLIC_CLIENT.redirectUris, "https://app.example.com/other"] };
  const refused = await problem({ redirect_uri: null }, [two]);
  assert.deepEqual(refused.answerTo === undefined && refused.reason, "redirect_uri_unregistered");
});

test("OA-05: an unknown client is looked up once, and never before client_id is known to stand there once", async () => {
  const context = fakeContext({ path: path({ client_id: ["a", "b"] }) });
  await readAuthorizationRequest(context);
  assert.deepEqual(context.lookups, []);
});

/** In the order in which they are judged: of two faults the earlier one is told. */
const REDIRECTS: readonly (readonly [what: string, error: string, describes: RegExp, changes: Changes])[] = [
  ["a parameter twice", "invalid_request", /'nonce' was sent more than once/, { nonce: ["1", "2"] }],
  ["a state of 4,097 characters", "invalid_request", /state/, { state: "a".repeat(4097) }],
  ["no response_type", "invalid_request", /response_type/, { response_type: null }],
  ["response_type=token", "unsupported_response_type", /response_type=code/, { response_type: "token" }],
  [
    "response_type=code id_token",
    "unsupported_response_type",
    /response_type=code/,
    { response_type: "code id_token" },
  ],
  ["response_mode=form_post", "invalid_request", /response_mode/, { response_mode: "form_post" }],
  ["response_mode=fragment", "invalid_request", /response_mode/, { response_mode: "fragment" }],
  ["no code_challenge", "invalid_request", /code_challenge/, { code_challenge: null }],
  [
    "no challenge and no method",
    "invalid_request",
    /code_challenge/,
    { code_challenge: null, code_challenge_method: null },
  ],
  ["a challenge without a method", "invalid_request", /S256/, { code_challenge_method: null }],
  ["the method plain", "invalid_request", /S256/, { code_challenge_method: "plain" }],
  ["the method in lower case", "invalid_request", /S256/, { code_challenge_method: "s256" }],
  ["a challenge of 42 characters", "invalid_request", /43/, { code_challenge: CHALLENGE.slice(1) }],
  ["a challenge with padding", "invalid_request", /43/, { code_challenge: `${CHALLENGE}=` }],
  ["a foreign resource", "invalid_target", /mcp\.example\.com/, { resource: "https://graph.microsoft.com" }],
  ["a resource with a fragment", "invalid_target", /mcp\.example\.com/, { resource: `${ORIGIN}/sse#x` }],
  ["nothing but unknown scopes", "invalid_scope", /scopes_supported/, { scope: "Files.Read" }],
];

for (const [what, error, describes, changes] of REDIRECTS) {
  test(`OA-05: ${what} goes back to the client as ${error}`, async () => {
    const refused = await problem(changes);
    assert.equal(refused.answerTo && refused.error, error);
  });
  test(`OA-05: the description of ${what} says what to mend`, async () => {
    assert.match((await problem(changes)).description, describes);
  });
}

for (const [index, [what, error, , changes]] of REDIRECTS.entries()) {
  const later = REDIRECTS.slice(index + 1).find(
    ([, other, , more]) => other !== error && Object.keys(more).every((name) => !(name in changes)),
  );
  if (later === undefined) continue;
  test(`RFC 6749 §4.1.2.1: of ${what} and ${later[0]} the first is told`, async () => {
    const refused = await problem({ ...later[3], ...changes });
    assert.equal(refused.answerTo && refused.error, error);
  });
}

test("OA-05: an error goes to the redirect URI that was asked, with its state", async () => {
  const refused = await problem({ response_type: "token" });
  assert.deepEqual(refused.answerTo, { redirectUri: REDIRECT_URI, state: GOOD.state });
});

for (const [what, state] of [
  ["twice", ["1", "2"]],
  ["too long", "a".repeat(4097)],
] as const) {
  test(`OA-18: a state that was sent ${what} is not sent back`, async () => {
    const refused = await problem({ state });
    assert.deepEqual(refused.answerTo && [refused.error, refused.answerTo.state], ["invalid_request", undefined]);
  });
}

test("RFC 6749 §4.1.2.1: the name of a repeated parameter is quoted without what could break a description", async () => {
  const { description } = await problem({ 'x"\\\u0007é': ["1", "2"] });
  assert.match(description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
});

test("RFC 6749 §4.1.2.1: a client that is not registered for codes is unauthorized_client", async () => {
  const refused = await problem({}, [{ ...PUBLIC_CLIENT, grantTypes: ["refresh_token"] }]);
  assert.equal(refused.answerTo && refused.error, "unauthorized_client");
});

test("D-05: a confidential client needs PKCE as well", async () => {
  const confidential: Client = { ...PUBLIC_CLIENT, tokenEndpointAuthMethod: "client_secret_basic" };
  const refused = await problem({ code_challenge: null }, [confidential]);
  assert.match(refused.description, /code_challenge/);
});

async function accepted(changes: Changes) {
  const checked = await read(changes);
  return checked.ok ? checked.value.request : assert.fail(JSON.stringify(checked.error));
}

test("OA-05: a good request is what was asked and nothing more", async () => {
  assert.deepEqual(await accepted({}), {
    clientId: PUBLIC_CLIENT.clientId,
    redirectUri: REDIRECT_URI,
    scopes: ["Mail.Read"],
    resource: ORIGIN,
    codeChallenge: CHALLENGE,
    state: "a state",
  });
});

test("OA-05: redirect_uri may be left out where one is registered", async () => {
  assert.equal((await accepted({ redirect_uri: null })).redirectUri, REDIRECT_URI);
});

test("OA-05: a state of 4,096 characters passes", async () => {
  assert.equal((await accepted({ state: "a".repeat(4096) })).state?.length, 4096);
});

test("OA-05: a request without state has none", async () =>
  assert.equal((await accepted({ state: null })).state, undefined));

test("OA-05: prompt and unknown parameters change nothing", async () => {
  assert.deepEqual(await accepted({ prompt: "none", login_hint: "ada", request: "x" }), await accepted({}));
});

test("OA-05: response_mode=query is what happens anyway", async () => {
  assert.deepEqual(await accepted({ response_mode: "query" }), await accepted({}));
});

for (const resource of [ORIGIN, `${ORIGIN}/`, `${ORIGIN}/sse`, `${ORIGIN}/mcp`]) {
  test(`OA-16: resource=${resource} is accepted`, async () =>
    assert.equal((await accepted({ resource })).resource, resource));
}

test("OA-11: without scope the whole catalogue is asked", async () => {
  assert.deepEqual((await accepted({ scope: null })).scopes, CATALOGUE);
});

// authorizationResponse

function answered(redirectUri: string, state: string | undefined, answer: Parameters<typeof authorizationResponse>[2]) {
  return new URL(authorizationResponse({ redirectUri, state }, ORIGIN, answer));
}

const DENIED = { error: "access_denied", error_description: "The request was denied." } as const;

for (const [what, answer] of [
  ["a code", { code: "m365c.x.y" }],
  ["an error", DENIED],
] as const) {
  test(`RFC 9207 §2: ${what} comes with iss and state`, () => {
    const { searchParams } = answered(REDIRECT_URI, "a state&more=1", answer);
    assert.deepEqual(Object.fromEntries(searchParams), { ...answer, state: "a state&more=1", iss: ORIGIN });
  });
}

test("RFC 6749 §4.1.2: without state in the request there is none in the answer", () => {
  assert.equal(answered(REDIRECT_URI, undefined, { code: "x" }).searchParams.has("state"), false);
});

test("RFC 6749 §3.1.2: a query of the redirect URI is kept", () => {
  const url = answered("https://app.example.com/callback?tenant=a&flag=1", "s", { code: "x" });
  assert.deepEqual([url.searchParams.get("tenant"), url.searchParams.get("flag")], ["a", "1"]);
});

for (const [redirectUri, start] of [
  ["https://app.example.com/callback", "https://app.example.com/callback?"],
  ["https://app.example.com", "https://app.example.com?"],
  ["https://app.example.com/callback?", "https://app.example.com/callback?"],
  ["https://app.example.com/cb?x=a%20b", "https://app.example.com/cb?x=a%20b&"],
  ["https://app.example.com/cb?flag&p=/a/b?c&&e=%c3%A9", "https://app.example.com/cb?flag&p=/a/b?c&&e=%c3%A9&"],
  ["https://app.example.com/cb?a=1&code=2&c%6Fde=3&state&iss=&b=~", "https://app.example.com/cb?a=1&b=~&"],
  ["https://app.example.com/cb?code=2", "https://app.example.com/cb?"],
  ["http://localhost:3334/cb?x=%2f", "http://localhost:3334/cb?x=%2f&"],
  ["com.example.app:/cb", "com.example.app:/cb?"],
  ["com.example.app:/cb?flag", "com.example.app:/cb?flag&"],
  ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback?"],
] as const) {
  test(`RFC 6749 §3.1.2, §4.1.2: ${redirectUri} is retained to the letter, and ours stand behind it once`, () => {
    const answer = authorizationResponse({ redirectUri, state: "a b" }, ORIGIN, { code: "m365c.x.y" });
    assert.equal(answer, `${start}code=m365c.x.y&state=a+b&iss=${encodeURIComponent(ORIGIN)}`);
  });
}

for (const name of ["code", "state", "iss", "error"]) {
  test(`RFC 9207 §2.4: ${name} in the query of the redirect URI cannot pass for ours`, () => {
    const url = answered(
      `https://app.example.com/callback?${name}=forged`,
      "s",
      name === "error" ? DENIED : { code: "x" },
    );
    assert.deepEqual(url.searchParams.getAll(name).includes("forged"), false);
  });
}

test("RFC 8252 §7.1: a private-use scheme is answered like any other", () => {
  const url = answered("com.example.app:/callback", "s", { code: "x" });
  assert.deepEqual([url.protocol, url.pathname, url.searchParams.get("code")], ["com.example.app:", "/callback", "x"]);
});
