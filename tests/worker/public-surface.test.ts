// What holds for every route of the bundle: scheme, headers, errors and sizes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Response } from "miniflare";
import { type Stack, startStack } from "../../fixtures/stack.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const HOST = "mcp.contoso.example";
const HSTS = "strict-transport-security";

interface Sent {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/** At any address, as a proxy in front would have it. */
function dispatch(url: string, init: Sent = {}): Promise<Response> {
  return stack.mf.dispatchFetch(url, { ...init, redirect: "manual" });
}

async function finish(answer: Response): Promise<{ status: number; headers: Response["headers"]; text: string }> {
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

for (const path of [
  "/",
  "/mcp",
  "/authorize?client_id=a&state=b%20c",
  "/.well-known/oauth-authorization-server",
  "/no",
]) {
  test(`CS-02 D-44: GET http://${HOST}${path} is 308 to the same at https, before anything else`, async () => {
    const { status, headers, text } = await finish(await dispatch(`http://${HOST}${path}`));
    assert.deepEqual([status, headers.get("location"), text], [308, `https://${HOST}${path}`, ""]);
    // RFC 6797 §7.2: not over plain http.
    assert.equal(headers.get(HSTS), null);
    assert.equal(headers.get("cache-control"), "no-store");
  });
}

for (const path of ["/mcp", "/sse", "/token", "/register", "/revoke", "/authorize"]) {
  test(`CS-02 D-44: POST http://${HOST}${path} is 403 https_required, and sends nobody on with what was posted`, async () => {
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const { status, headers, text } = await finish(await dispatch(`http://${HOST}${path}`, { method: "POST", body }));
    const { error, requestId } = JSON.parse(text);
    assert.deepEqual([status, error, requestId], [403, "https_required", headers.get("x-request-id")]);
    assert.equal(headers.get("location"), null);
  });
}

test("CS-02 D-44: https answers carry HSTS for a year, refusals too", async () => {
  for (const path of ["/", "/info", "/health", "/mcp", "/authorize", "/no"]) {
    const { headers } = await finish(await dispatch(`https://${HOST}${path}`));
    assert.equal(headers.get(HSTS), "max-age=31536000", path);
  }
});

for (const host of ["127.0.0.1", "localhost:8787", "[::1]:8787"]) {
  test(`CS-02 D-44: plain http at ${host} is served, without HSTS`, async () => {
    const read = await finish(await dispatch(`http://${host}/info`));
    const body = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    const posted = await finish(await dispatch(`http://${host}/mcp`, { method: "POST", body }));
    assert.deepEqual([read.status, read.headers.get(HSTS)], [200, null]);
    assert.deepEqual([posted.status, posted.headers.get(HSTS)], [200, null]);
  });
}

for (const path of ["/", "/info", "/.well-known/jwks.json", "/.well-known/oauth-protected-resource/mcp"]) {
  test(`CS-03: ${path} may be kept, and its refusal may not`, async () => {
    const url = `https://${HOST}${path}`;
    const read = await finish(await dispatch(url));
    assert.deepEqual([read.status, read.headers.get("cache-control")], [200, "public, max-age=300"]);
    const refused = await finish(await dispatch(url, { method: "PUT" }));
    assert.deepEqual([refused.status, refused.headers.get("cache-control")], [405, "no-store"]);
  });
}

for (const accept of ["*/*", "text/html"]) {
  test(`EP-14 ER-09: an unknown path with Accept ${accept} is 404 not_found with the request id, and nothing else`, async () => {
    for (const path of ["/no/such", "/mcp/", "/.well-known/no-such", "/operator/revoke"]) {
      const { status, headers, text } = await finish(await dispatch(`https://${HOST}${path}`, { headers: { accept } }));
      const requestId = headers.get("x-request-id") ?? "";
      assert.deepEqual([status, JSON.parse(text)], [404, { error: "not_found", requestId }], path);
      assert.match(requestId, /^[0-9a-f-]{36}$/);
      assert.equal(headers.get("content-type"), "application/json");
      assert.equal(headers.get("cache-control"), "no-store");
    }
  });
}

test("EP-16: POST /authorize of 64 KiB is read, one byte more is 413", async () => {
  const post = async (bytes: number) => {
    const body = `form=${"x".repeat(bytes - 5)}`;
    const headers = { "content-type": "application/x-www-form-urlencoded", origin: stack.url };
    return finish(await dispatch(`${stack.url}/authorize`, { method: "POST", body, headers }));
  };
  const read = await post(65_536);
  assert.deepEqual([read.status, read.text.includes("belongs to another browser")], [403, true], read.text);
  assert.equal((await post(65_537)).status, 413);
});
