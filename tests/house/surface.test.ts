// What the product shows to the outside, as one file to review. After an intended change:
//     UPDATE_GOLDEN=1 npm run test:fast tests/house/surface.test.ts
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { CATALOG } from "../../src/mcp/catalog.ts";
import { type Exchange, ROUTES } from "../../src/routes.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { ROOT } from "./source.ts";

const GOLDEN = join(ROOT, "tests/house/surface.json");

interface Surface {
  /** Path, and in one line: methods, kind of answer, who may read it in a browser. */
  readonly routes: { readonly [path: string]: string };
  /** Name and scopes, in the order of `tools/list`. */
  readonly tools: { readonly [name: string]: string };
  /** URI and name. */
  readonly resources: { readonly [uri: string]: string };
  /** Name and title. */
  readonly prompts: { readonly [name: string]: string };
  /** What metadata offers and Entra is asked for, and the tools that need it. */
  readonly scopes: { readonly [scope: string]: string };
}

async function readSurface(): Promise<Surface> {
  const routes = Object.entries(ROUTES).map(([path, { methods, kind, cors }]) => {
    const check = cors === "allowed-origins" ? ", foreign origins refused" : "";
    return [path, `${Object.keys(methods).join(" ")}; ${kind}; cors ${cors}${check}`] as const;
  });
  const { resources } = CATALOG.list("resources/list") as { resources: { uri: string; name: string }[] };
  const { prompts } = CATALOG.list("prompts/list") as { prompts: { name: string; title: string }[] };
  const needs = (scope: string) => TOOLS.filter(({ scopes }) => (scopes as readonly string[]).includes(scope));
  const scopes = (await publishedScopes()).map((scope) => [
    scope,
    needs(scope)
      .map(({ name }) => name)
      .join(" ") || "no tool, so a resource",
  ]);
  return {
    routes: Object.fromEntries(routes),
    tools: Object.fromEntries(TOOLS.map(({ name, scopes }) => [name, scopes.join(" ") || "no scope"])),
    resources: Object.fromEntries(resources.map(({ uri, name }) => [uri, name])),
    prompts: Object.fromEntries(prompts.map(({ name, title }) => [name, title])),
    scopes: Object.fromEntries(scopes),
  };
}

async function publishedScopes(): Promise<readonly string[]> {
  const document = ROUTES["/.well-known/oauth-protected-resource"]?.methods.GET;
  assert.ok(document);
  // The document is a function of the origin alone.
  const answer = await document({ origin: "https://mcp.example.com" } as Exchange);
  assert.ok(answer);
  return ((await answer.json()) as { scopes_supported: string[] }).scopes_supported;
}

const surface = await readSurface();

test("EP-15: routes, tools, resources, prompts and scopes are those of surface.json", async () => {
  const text = `${JSON.stringify(surface, null, 2)}\n`;
  if (process.env.UPDATE_GOLDEN === "1") await writeFile(GOLDEN, text);
  const golden = await readFile(GOLDEN, "utf8");
  assert.deepEqual(
    text.split("\n"),
    golden.split("\n"),
    "intended? UPDATE_GOLDEN=1 npm run test:fast tests/house/surface.test.ts",
  );
});

test("D-40: getEmails is the first tool", () => {
  assert.equal(Object.keys(surface.tools)[0], "getEmails");
});

test("EN-08: the published scopes are those that the catalogue needs", () => {
  const needed = new Set(TOOLS.flatMap(({ scopes }) => scopes));
  assert.deepEqual(
    [...needed].filter((scope) => !Object.hasOwn(surface.scopes, scope)),
    [],
  );
});

test("D-15: nothing asks for a scope that only an administrator can grant", () => {
  const adminOnly =
    /^(People\.Read\.All|Directory\.|.*\.Shared$|User\.ReadWrite\.All|Mail\.ReadWrite$|.*\.FullControl)/;
  assert.deepEqual(
    Object.keys(surface.scopes).filter((scope) => adminOnly.test(scope)),
    [],
  );
});

for (const path of ["/authorize", "/callback"]) {
  test(`CS-01: no other site may read ${path}`, () => assert.match(surface.routes[path] ?? "", /; page; cors none$/));
}

for (const path of ["/sse", "/mcp"]) {
  test(`CS-04: ${path} refuses foreign origins before the body is read`, () => {
    assert.match(surface.routes[path] ?? "", /cors allowed-origins, foreign origins refused$/);
  });
}

test("D-04: /sse and /mcp are one route", () => assert.equal(surface.routes["/sse"], surface.routes["/mcp"]));

test("OA-03: the list of scopes for a resource does not name offline_access", () => {
  assert.equal(Object.hasOwn(surface.scopes, "offline_access"), false);
});
