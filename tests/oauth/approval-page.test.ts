import assert from "node:assert/strict";
import { test } from "node:test";
import { GRAPH_SCOPES } from "../../src/graph/scopes.ts";
import { approvalPage } from "../../src/oauth/approval-page.ts";
import { type Client, STATIC_CLIENT } from "../../src/oauth/client.ts";
import type { AuthorizationRequest } from "../../src/oauth/grants.ts";
import { redirectHost } from "../../src/oauth/redirect-uri.ts";

const REQUEST: AuthorizationRequest = {
  clientId: "notes",
  redirectUri: "https://notes.contoso.example/callback",
  scopes: ["Mail.Read"],
  resource: "https://m365.contoso.example",
  codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  state: undefined,
};

function show(client: Partial<Client> = {}, request: Partial<AuthorizationRequest> = {}, isRemembered = false) {
  return pageOf(client, request, isRemembered).text();
}

function pageOf(client: Partial<Client>, request: Partial<AuthorizationRequest>, isRemembered = false): Response {
  return approvalPage({
    client: { ...STATIC_CLIENT, clientName: "Contoso Notes", ...client },
    request: { ...REQUEST, ...request },
    form: "v1.box",
    isRemembered,
    requestId: "6f0a2d4e",
    cookies: ["a=1", "b=2"],
  });
}

// Clients of CONFIG_KV are written by hand, so nothing has checked these.
for (const address of [
  "javascript:alert(1)",
  " JavaScript:alert(1)",
  "data:text/html,x",
  "file:///etc/passwd",
  "//notes.contoso.example/",
  "notes.contoso.example",
  "https://",
  "",
]) {
  test(`AP-04: ${JSON.stringify(address)} is no link and is not shown`, async () => {
    const text = await show({ clientUri: address, policyUri: address, tosUri: address });
    assert.doesNotMatch(text, /<a |Website|Privacy|Terms/);
  });
}

test("AP-06: website, policy, terms and contacts are shown where they were given, and only then", async () => {
  const clientUri = "http://notes.contoso.example/";
  const [policyUri, tosUri] = ["https://notes.contoso.example/privacy", "HTTPS://NOTES.CONTOSO.EXAMPLE/terms"];
  const text = await show({ clientUri, policyUri, tosUri, contacts: ["ada@contoso.example", "bob@contoso.example"] });
  for (const [label, address] of [
    ["Website", clientUri],
    ["Privacy", policyUri],
    ["Terms", tosUri],
  ]) {
    assert.ok(text.includes(`<li>${label}: <a href="${address}">${address}</a></li>`), label);
  }
  assert.ok(text.includes("Contact: <bdi>ada@contoso.example, bob@contoso.example</bdi>"));
  for (const contacts of [undefined, []]) assert.doesNotMatch(await show({ contacts }), /Contact:/);
});

test("AP-06: every scope is there once, in words, under the part of the account it opens", async () => {
  const text = await show({}, { scopes: GRAPH_SCOPES });
  const groups = [...text.matchAll(/<h3 class="dim">(.*?)<\/h3><ul>(.*?)<\/ul>/g)].map(([, group, list = ""]) => [
    group,
    [...list.matchAll(/<li>[A-Z][a-z ]{3}[\w ]{6,} <span class="dim">\(([\w.]+)\)<\/span><\/li>/g)].map(
      ([, scope]) => scope,
    ),
  ]);
  assert.deepEqual(groups, [
    ["Profile", ["User.Read"]],
    ["Mail", ["Mail.Read", "Mail.Send"]],
    ["Calendar", ["Calendars.Read", "Calendars.ReadWrite"]],
    ["Contacts", ["Contacts.Read"]],
    ["Teams", ["ChannelMessage.Send", "OnlineMeetings.ReadWrite", "Team.ReadBasic.All", "Channel.ReadBasic.All"]],
  ]);
});

test("AP-04: what a client calls itself is clipped where it is longer than a registered name may be", async () => {
  const text = await show({ clientName: "x".repeat(5000), contacts: ["y".repeat(5000)] });
  assert.ok(text.includes(`${"x".repeat(119)}…`) && text.includes(`${"y".repeat(119)}…`));
  assert.doesNotMatch(text, /x{120}|y{120}/);
});

test("AP-02: the Continue page says who and where, and leaves out what was decided before", async () => {
  const text = await show({}, {}, true);
  for (const shown of ["Contoso Notes", "notes.contoso.example", "You approved this before in this browser."]) {
    assert.ok(text.includes(shown), shown);
  }
  assert.doesNotMatch(text, /Mail\.Read|given by the application/);
});

for (const [redirectUri, host] of [
  ["https://notes.contoso.example/callback", "notes.contoso.example"],
  ["https://notes.contoso.example:8443/callback", "notes.contoso.example:8443"],
  ["http://127.0.0.1:33418/", "127.0.0.1:33418"],
  ["http://[::1]:33418/", "[::1]:33418"],
  ["com.example.notes:/callback", "com.example.notes://"],
  ["cursor://login.microsoftonline.com/callback", "cursor://"],
] as const) {
  test(`AP-06: an answer to ${redirectUri} goes to ${host}`, () => assert.equal(redirectHost(redirectUri), host));
}

for (const [redirectUri, resource, sources] of [
  ["https://notes.contoso.example/callback", "https://m365.contoso.example", "'self' https:"],
  ["http://localhost:6274/callback", "https://m365.contoso.example/mcp", "'self' https: http:"],
  ["com.example.app:/callback", "https://m365.contoso.example", "'self' https: com.example.app:"],
  ["https://notes.contoso.example/callback", "http://127.0.0.1:8787/mcp", "'self' https: http:"],
] as const) {
  test(`AP-05: a form of ${new URL(resource).origin} for ${redirectUri} leads to ${sources}`, () => {
    const policy = pageOf({}, { redirectUri, resource }).headers.get("Content-Security-Policy") ?? "";
    assert.equal(/form-action ([^;]*)/.exec(policy)?.[1], sources);
  });
}
