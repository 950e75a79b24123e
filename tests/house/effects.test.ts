// DG-03: the effects ledger. Everything that is not in the ledger's places is a function of its arguments.
import assert from "node:assert/strict";
import { test } from "node:test";
import { effectViolations } from "./effects.ts";
import { codeOf, readSources } from "./source.ts";

test("DG-03: network, clock, randomness, console and timers stay in their places", async () => {
  assert.deepEqual(effectViolations(await readSources()), []);
});

const REFUSED: readonly (readonly [file: string, code: string])[] = [
  ["oauth/x.ts", 'await fetch("https://a.example/");'],
  ["oauth/x.ts", 'await globalThis.fetch("https://a.example/");'],
  ["oauth/x.ts", "const send = fetch;"],
  ["entra/x.ts", "createRemoteJWKSet(url, {});"],
  ["entra/x.ts", "jwtVerify(token, keys, {});"],
  ["graph/x.ts", "await env.AI.run(model, inputs);"],
  ["graph/x.ts", "await env.AI?.run(model, inputs);"],
  ["graph/x.ts", 'await env.AI["run"](model, inputs);'],
  ["graph/x.ts", "await ai?.gateway(id).patchLog(logId, {});"],
  ["routes.ts", "stub.fetch(request);"],
  ["agent/x.ts", "await env.ANY?.fetch(request);"],
  ["agent/x.ts", "metrics?.writeDataPoint({});"],
  ["mcp/x.ts", 'new WebSocket("wss://a.example/")'],
  ["core/x.ts", "const now = Date.now();"],
  ["observe/x.ts", "const now = new Date();"],
  ["observe/x.ts", "const now = new Date;"],
  ["observe/x.ts", "const now = Date();"],
  ["mcp/x.ts", "performance.now()"],
  ["oauth/x.ts", "crypto.getRandomValues(bytes)"],
  ["routes.ts", "crypto.randomUUID()"],
  ["crypto/box.ts", 'crypto.subtle.generateKey("HMAC", true, [])'],
  ["crypto/random.ts", "Math.random()"],
  ["worker.ts", 'console.error("a");'],
  ["config.ts", "process.env.KEY"],
  ["core/x.ts", 'Buffer.from("a")'],
  ["core/x.ts", 'eval("1")'],
  ["core/x.ts", 'new Function("return 1")'],
  ["graph/x.ts", "setTimeout(done, 10);"],
  ["graph/x.ts", "await scheduler.wait(10);"],
  ["tools/x.ts", "AbortSignal.timeout(10)"],
  ["graph/x.ts", "caches.default"],
  ["core/x.ts", 'import { createHash } from "node:crypto";'],
  ["egress/x.ts", 'import { connect } from "cloudflare:sockets";'],
  ["core/x.ts", `const text = \`now: \${Date.now()}\`;`],
];

for (const [file, code] of REFUSED) {
  test(`self-check: ${file} may not ${code}`, () => {
    const violations = effectViolations(new Map([[file, `// line one\n${code}\n`]]));
    assert.equal(violations.length, 1, violations.join("\n"));
    assert.ok((violations[0] ?? "").startsWith(`src/${file}`));
  });
}

const ALLOWED: readonly (readonly [file: string, code: string])[] = [
  ["egress/x.ts", "return fetch(url, init);"],
  ["worker.ts", "export default { async fetch(request: Request) {} };"],
  ["endpoints/mcp.ts", "stub.fetch(request);"],
  ["routes.ts", "const { AI } = env; give({ ai: env.AI });"],
  ["entra/x.ts", "createRemoteJWKSet(url, { [customFetch]: send });"],
  ["agent/x.ts", "Date.now(); setTimeout(done, 1);"],
  ["observe/x.ts", "new Date(clock()).toISOString();"],
  ["crypto/random.ts", "crypto.getRandomValues(bytes);"],
  ["observe/log.ts", "console.log(line);"],
  ["core/x.ts", "type Bytes = Uint8Array<ArrayBuffer>;"],
  ["core/x.ts", "// Date.now() is for worker.ts\n/* fetch(url) */"],
  ["core/x.ts", 'const text = "fetch(url) and Date.now()";'],
  ["core/x.ts", "const pattern = /[\"'`]fetch\\(/; const half = 4 / 2 / 1;"],
  ["entra/x.ts", 'import { fetchFrom } from "../egress/fetch.ts"; AbortSignal.timeout(10);'],
];

for (const [file, code] of ALLOWED) {
  test(`self-check: ${file} may ${code.replaceAll("\n", " ")}`, () => {
    assert.deepEqual(effectViolations(new Map([[file, code]])), []);
  });
}

test("self-check: what follows a regular expression with quotes is still code", () => {
  assert.match(codeOf("const a = text.replace(/[\"'`]/g, b); Date.now(); // c"), /Date\.now\(\);\s+$/);
});

test("self-check: a template's expressions are code and its text is not", () => {
  const code = codeOf(`const a = \`fetch \${inner(\`x \${Date.now()}\`) + { b: 1 }.b} fetch\`; after();`);
  assert.match(code, /inner\(.*Date\.now\(\).*after\(\);$/);
  assert.doesNotMatch(code, /fetch/);
});

test("self-check: a division is not the start of a regular expression", () => {
  assert.match(codeOf("const a = b / c; Date.now(); const d = e / f;"), /Date\.now/);
});
