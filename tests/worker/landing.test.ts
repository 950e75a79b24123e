// GET / and /info of the shipped bundle: EP-13.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";

const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

const get = (path: string, accept: string) => fetch(`${stack.url}${path}`, { headers: { accept } });

for (const accept of ["*/*", "application/json", "application/json, text/html;q=0.9"]) {
  test(`EP-13: GET / with Accept ${accept} is the document of /info`, async () => {
    const [root, info] = await Promise.all([get("/", accept), get("/info", accept)]);
    assert.equal(root.headers.get("content-type"), "application/json");
    assert.equal(root.headers.get("vary"), "Accept");
    assert.equal(root.headers.get("cache-control"), info.headers.get("cache-control"));
    const document = (await root.json()) as Record<string, unknown>;
    const members = ["name", "title", "version", "protocolVersions", "endpoints", "documentation"];
    assert.deepEqual(Object.keys(document), members);
    assert.deepEqual(await info.json(), document);
  });
}

test("EP-13: /info is JSON for browsers too", async () => {
  assert.equal((await get("/info", BROWSER)).headers.get("content-type"), "application/json");
});

test("EP-13: GET / of a browser is a page with the address to connect to, the headers of pages, under 10 KB", async () => {
  const [page, info] = await Promise.all([get("/", BROWSER), get("/info", BROWSER)]);
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("vary"), "Accept");
  assert.equal(page.headers.get("cache-control"), info.headers.get("cache-control"));
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  assert.equal(page.headers.get("referrer-policy"), "no-referrer");
  const text = await page.text();
  assert.ok(text.includes(`>${stack.url}/mcp<`));
  assert.ok(Buffer.byteLength(text) < 10_000);
});

test("EP-13 / HL-01: the page and /health agree on what is missing, and no value is shown", async () => {
  assert.match(await (await get("/", BROWSER)).text(), /Healthy\./);
  assert.equal((await get("/health", "*/*")).status, 200);
  const broken = "not-a-key-of-64-hex-characters";
  await stack.restart({ MICROSOFT_CLIENT_SECRET: undefined, COOKIE_ENCRYPTION_KEY: broken });
  const [page, health] = await Promise.all([get("/", BROWSER), get("/health", "*/*")]);
  assert.deepEqual([page.status, health.status], [200, 503]);
  const { checks } = (await health.json()) as { checks: { configuration: { keys: string[] } } };
  const { keys } = checks.configuration;
  assert.deepEqual([...keys].sort(), ["COOKIE_ENCRYPTION_KEY", "MICROSOFT_CLIENT_SECRET"]);
  const text = await page.text();
  assert.ok(text.includes(`Unhealthy. Settings missing or wrong: ${keys.join(", ")}.`), text);
  assert.ok(!text.includes(broken));
});
