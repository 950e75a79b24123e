import assert from "node:assert/strict";
import { test } from "node:test";
import { titleOf } from "../../src/core/text.ts";
import type { Exchange } from "../../src/endpoints/exchange.ts";
import { landing } from "../../src/endpoints/landing-page.ts";
import { describeServer } from "../../src/mcp/server-info.ts";
import { TOOLS } from "../../src/tools/index.ts";

const ORIGIN = "https://m365.contoso.example";
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/** @param accept undefined sends no header */
function visit(accept: string | undefined, changes: object = {}): Response {
  const request = new Request(`${ORIGIN}/`, { headers: accept === undefined ? {} : { accept } });
  const exchange = { request, origin: ORIGIN, config: { ok: true }, env: { AI: {} }, clock: Date.now, ...changes };
  // What the page looks at.
  return landing(exchange as Exchange);
}

const read = async (changes: object = {}) =>
  (await visit(BROWSER, changes).text()).replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&");

for (const accept of [undefined, "*/*", "application/json", "application/json, text/html"]) {
  test(`EP-13: Accept ${accept} gets what /info says, and caches are told that it depends`, async () => {
    const answer = visit(accept);
    assert.equal(answer.headers.get("Content-Type"), "application/json");
    assert.equal(answer.headers.get("Vary"), "Accept");
    assert.equal(answer.headers.get("Cache-Control"), "public, max-age=300");
    assert.deepEqual(await answer.json(), describeServer(ORIGIN));
  });
}

test("EP-13: a browser gets a page that is kept as long as the JSON and apart from it", () => {
  const { status, headers } = visit(BROWSER);
  assert.equal(status, 200);
  assert.equal(headers.get("Content-Type"), "text/html; charset=utf-8");
  assert.equal(headers.get("Vary"), "Accept");
  assert.equal(headers.get("Cache-Control"), "public, max-age=300");
  assert.equal(headers.get("Set-Cookie"), null);
});

test("EP-13: the page allows itself its own style and nothing else", async () => {
  const answer = visit(BROWSER);
  const policy = answer.headers.get("Content-Security-Policy") ?? "";
  const [, nonce] = /^default-src 'none';.* style-src 'nonce-([\w-]{43})'; form-action 'none'$/.exec(policy) ?? [];
  assert.ok(nonce !== undefined, policy);
  const text = await answer.text();
  assert.ok(text.includes(`<style nonce="${nonce}">`));
  assert.doesNotMatch(text, /<script|<img|<link|<form|\bon\w+=|url\(|@import/i);
});

test("EP-13: the page names every tool of the catalogue with the permissions it needs, in order", async () => {
  const [, list = ""] = /<h2>Tools[\s\S]*?<ul>([\s\S]*?)<\/ul>/.exec(await read()) ?? [];
  assert.deepEqual(
    [...list.matchAll(/<li>(.*?) <span class="dim">\((.*?)\)<\/span><\/li>/g)].map(([, ...shown]) => shown),
    TOOLS.map(({ name, scopes }) => [titleOf(name), `${name}: ${scopes.join(", ") || "none"}`]),
  );
});

test("EP-13: every step that is to be copied leads to /mcp of the origin", async () => {
  const codes = [...(await read()).matchAll(/<code>(.*?)<\/code>/g)].map(([, code = ""]) => code);
  const url = `${ORIGIN}/mcp`;
  assert.deepEqual(
    codes.map((code) => (code.startsWith("{") ? JSON.parse(code) : code)),
    [
      `claude mcp add --transport http microsoft-365 ${url}`,
      // code.visualstudio.com: MCP configuration reference.
      { servers: { "microsoft-365": { type: "http", url } } },
      // modelcontextprotocol.io: MCP Inspector.
      `npx @modelcontextprotocol/inspector --transport http --server-url ${url}`,
      // README of mcp-remote.
      { mcpServers: { "microsoft-365": { command: "npx", args: ["mcp-remote", url] } } },
    ],
  );
});

for (const client of ["Claude", "Claude Code", "ChatGPT", "VS Code", "MCP Inspector", "mcp-remote"]) {
  test(`EP-13: the page has a section for ${client}`, async () =>
    assert.ok((await read()).includes(`<h3>${client}</h3>`)));
}

test("HL-01: a good configuration with its gateway is healthy", async () => {
  const text = await read();
  assert.match(text, /Healthy\./);
  assert.doesNotMatch(text, /Unhealthy/);
});

test("HL-01: what is missing or wrong is named, the binding too", async () => {
  const config = { ok: false, error: { keys: ["ENCRYPTION_KEY", "COOKIE_SECRET"] } };
  assert.match(await read({ config, env: {} }), /Unhealthy\. .*: ENCRYPTION_KEY, COOKIE_SECRET, AI\./);
  assert.match(await read({ env: {} }), /Unhealthy\. .*: AI\./);
});

test("AP-04: the origin is text, whatever it is", async () => {
  const text = await visit(BROWSER, { origin: `https://"><script>alert(1)</script>` }).text();
  assert.doesNotMatch(text, /<script/);
});
