// RFC 8414, RFC 9728 and the document that OpenID clients insist on: OA-01 to OA-03, rows 34 and 35.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  OAuthMetadataSchema,
  OAuthProtectedResourceMetadataSchema,
  OpenIdProviderDiscoveryMetadataSchema,
} from "@modelcontextprotocol/sdk/shared/auth.js";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { storageOf } from "../support/oauth-assert.ts";
import { getEmails, type Reply, readReply } from "../support/oauth-client.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const SERVER_PATHS = ["", "/sse", "/mcp"].map((suffix) => `/.well-known/oauth-authorization-server${suffix}`);
const RESOURCE_PATHS = ["", "/sse", "/mcp"].map((suffix) => `/.well-known/oauth-protected-resource${suffix}`);
const DOCUMENTS = [...SERVER_PATHS, ...RESOURCE_PATHS, "/.well-known/openid-configuration"];

async function read(path: string, headers: Record<string, string> = {}): Promise<Reply> {
  return readReply(await fetch(`${stack.url}${path}`, { headers }));
}

function listOf(value: unknown): string[] {
  assert.ok(Array.isArray(value));
  return value.map(String);
}

for (const path of SERVER_PATHS) {
  test(`OA-01 / RFC 8414 §2: ${path} describes this server`, async () => {
    const { status, body } = await read(path);
    assert.equal(status, 200);
    const { scopes_supported: scopes, revocation_endpoint_auth_methods_supported: _, ...rest } = body;
    const methods = ["none", "client_secret_basic", "client_secret_post"];
    assert.deepEqual(listOf(rest.token_endpoint_auth_methods_supported).sort(), methods.toSorted());
    assert.deepEqual(
      { ...rest, token_endpoint_auth_methods_supported: methods },
      {
        issuer: stack.url,
        authorization_endpoint: `${stack.url}/authorize`,
        token_endpoint: `${stack.url}/token`,
        registration_endpoint: `${stack.url}/register`,
        revocation_endpoint: `${stack.url}/revoke`,
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: methods,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
      },
    );
    assert.ok(listOf(scopes).includes("offline_access") && listOf(scopes).includes("Mail.Read"));
    assert.ok(OAuthMetadataSchema.safeParse(body).success);
  });
}

test("RFC 8414 §3.3: the issuer is the origin to the letter, without a trailing slash", async () => {
  const { body } = await read("/.well-known/oauth-authorization-server");
  assert.equal(body.issuer, new URL(stack.url).origin);
});

test("OA-02 / DX-01: openid-configuration is the same document plus what the SDK's schema insists on", async () => {
  const server = await read("/.well-known/oauth-authorization-server");
  const { status, body } = await read("/.well-known/openid-configuration");
  assert.equal(status, 200);
  const { jwks_uri, subject_types_supported, id_token_signing_alg_values_supported, ...rest } = body;
  assert.deepEqual(rest, server.body);
  assert.deepEqual(subject_types_supported, ["public"]);
  assert.deepEqual(id_token_signing_alg_values_supported, ["RS256"]);
  assert.deepEqual((await readReply(await fetch(String(jwks_uri)))).body, { keys: [] });
  assert.ok(OpenIdProviderDiscoveryMetadataSchema.safeParse(body).success);
});

test("OA-02: neither openid nor id_token is offered", async () => {
  const { body } = await read("/.well-known/openid-configuration");
  assert.ok(!listOf(body.scopes_supported).includes("openid"));
  assert.ok(!listOf(body.response_types_supported).some((type) => type.includes("id_token")));
});

for (const [index, suffix] of ["", "/sse", "/mcp"].entries()) {
  test(`OA-03 / RFC 9728 §3.3: the resource of ${RESOURCE_PATHS[index]} equals its URL`, async () => {
    const { status, body } = await read(RESOURCE_PATHS[index] ?? "");
    assert.equal(status, 200);
    assert.equal(body.resource, `${stack.url}${suffix}`);
    assert.deepEqual(body.authorization_servers, [stack.url]);
    assert.deepEqual(body.bearer_methods_supported, ["header"]);
    assert.ok(OAuthProtectedResourceMetadataSchema.safeParse(body).success);
    const server = await read("/.well-known/oauth-authorization-server");
    const withoutOffline = listOf(server.body.scopes_supported).filter((scope) => scope !== "offline_access");
    assert.deepEqual(body.scopes_supported, withoutOffline);
  });
}

test("CS-01: every document may be read by any origin, without credentials", async () => {
  for (const path of DOCUMENTS) {
    const { headers } = await read(path, { origin: "https://somebody.example" });
    assert.equal(headers.get("access-control-allow-origin"), "*", path);
    assert.equal(headers.get("access-control-allow-credentials"), null, path);
  }
});

test("CS-01: /authorize and /callback give no origin leave to read them", async () => {
  for (const path of ["/authorize?client_id=x", "/callback?code=a&state=b"]) {
    for (const origin of ["https://somebody.example", stack.url]) {
      const { headers } = await read(path, { origin });
      assert.equal(headers.get("access-control-allow-origin"), null, path);
    }
  }
});

test("CS-01: preflights of the endpoints that programs call are 204, those of pages give no leave", async () => {
  const ask = {
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
  };
  const headers = { origin: "http://localhost:6274", ...ask };
  for (const path of ["/register", "/token", "/revoke", "/mcp", "/.well-known/oauth-authorization-server"]) {
    const answer = await fetch(`${stack.url}${path}`, { method: "OPTIONS", headers });
    assert.equal(answer.status, 204, path);
    assert.ok(["*", headers.origin].includes(answer.headers.get("access-control-allow-origin") ?? ""), path);
    assert.match(answer.headers.get("access-control-allow-headers") ?? "", /authorization/i);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  }
  for (const path of ["/authorize", "/callback"]) {
    const answer = await fetch(`${stack.url}${path}`, { method: "OPTIONS", headers });
    await answer.body?.cancel();
    assert.equal(answer.headers.get("access-control-allow-origin"), null, path);
  }
});

test("EP-14: a document answers GET only; other methods are 405 with Allow", async () => {
  for (const path of DOCUMENTS) {
    const response = await fetch(`${stack.url}${path}`, { method: "POST", body: "{}" });
    await response.body?.cancel();
    assert.equal(response.status, 405, path);
    assert.match(response.headers.get("allow") ?? "", /GET/);
  }
});

test("row 34: forwarding headers leave the metadata and the challenge as they are", async () => {
  const forged = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "https",
    "x-forwarded-port": "443",
    "x-forwarded-server": "evil.example",
    "x-original-host": "evil.example",
    "x-original-url": "/evil",
    "x-rewrite-url": "/evil",
    forwarded: "for=1.2.3.4;host=evil.example;proto=https",
  };
  for (const path of DOCUMENTS) {
    assert.equal((await read(path, forged)).text, (await read(path)).text, path);
  }
  const challenge = await getEmails(stack, undefined, { headers: forged });
  assert.ok(!`${challenge.text}${challenge.headers.get("www-authenticate")}`.includes("evil.example"));
});

test("DO-02: no document touches storage", async () => {
  const stored = await storageOf(stack);
  await Promise.all(DOCUMENTS.map((path) => read(path)));
  assert.deepEqual(await storageOf(stack), stored);
});

test("row 35 / CVE-2025-6514: our URLs are https literals of the configuration, harmless in a shell", async (t) => {
  const bindings = { WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" };
  const configured = await startStack({ bindings });
  t.after(() => configured.dispose());
  const origin = "https://mcp.contoso.example";
  for (const path of DOCUMENTS) {
    const answer = await configured.mf.dispatchFetch(`${origin}${path}`, {
      headers: { "x-forwarded-host": "$(id).example" },
    });
    assert.equal(answer.status, 200);
    const text = await answer.text();
    const urls: string[] = text.match(/\w+:\/\/[^"]*/g) ?? [];
    assert.ok(urls.length > 0);
    for (const url of urls) {
      assert.ok(url === origin || url.startsWith(`${origin}/`), url);
      assert.match(url, /^https:\/\/[a-z0-9./-]+$/);
      assert.doesNotMatch(url, /['"`\\]|\$\(/);
    }
  }
});

test("row 35 / D-09: a Host that is not ours never becomes an issuer", async (t) => {
  const bindings = { WORKER_DOMAIN: "mcp.contoso.example", PROTOCOL: "https" };
  const configured = await startStack({ bindings });
  t.after(() => configured.dispose());
  for (const host of ["evil.example", "mcp.contoso.example.evil.example", "m365.workers.dev", "127.0.0.1:1"]) {
    const answer = await configured.mf.dispatchFetch(`https://${host}/.well-known/oauth-authorization-server`);
    assert.equal(answer.status, 421, host);
    assert.ok(!(await answer.text()).includes(`${host}/authorize`));
  }
});
