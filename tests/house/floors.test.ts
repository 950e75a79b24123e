// DG-03: imports only point down. See the floors in floors.ts, top to bottom.
import assert from "node:assert/strict";
import { test } from "node:test";
import { floorViolations } from "./floors.ts";
import { readSources } from "./source.ts";

const sources = await readSources();

test("DG-03: every import of src points down, and folders of one floor do not see each other", () => {
  assert.deepEqual(floorViolations(sources), []);
});

test("DG-03: the whole of src is looked at", () => {
  assert.ok(sources.size > 60, `only ${sources.size} files found`);
  assert.ok(sources.has("worker.ts") && sources.has("oauth/grant/code.ts"));
});

/** A made-up house: one file with one import, and everything it could mean. */
function house(file: string, line: string) {
  const others = ["core/bytes.ts", "crypto/box.ts", "http/html.ts", "observe/log.ts", "config.ts", "egress/fetch.ts"];
  const more = ["graph/url.ts", "entra/token.ts", "oauth/token.ts", "tools/index.ts", "mcp/call.ts", "agent/a.ts"];
  const files = [...others, ...more, "routes.ts", "worker.ts"].map((name) => [name, ""] as const);
  return new Map([...files, [file, line] as const]);
}

const REFUSED: readonly (readonly [why: string, file: string, line: string])[] = [
  ["core reads a primitive", "core/x.ts", 'import { seal } from "../crypto/box.ts";'],
  ["core reads the configuration", "core/x.ts", 'import type { Config } from "../config.ts";'],
  ["a primitive reads another", "crypto/x.ts", 'import { html } from "../http/html.ts";'],
  ["a type counts as an import", "crypto/x.ts", 'import type { Log } from "../observe/log.ts";'],
  ["egress reads Graph", "egress/x.ts", 'import { url } from "../graph/url.ts";'],
  ["entra reads graph beside it", "entra/x.ts", 'import { url } from "../graph/url.ts";'],
  ["oauth reads mcp", "oauth/x.ts", 'import { call } from "../mcp/call.ts";'],
  ["mcp reads oauth below it", "mcp/x.ts", 'import { token } from "../oauth/token.ts";'],
  ["a deeper folder of oauth reads mcp", "oauth/grant/x.ts", 'import { call } from "../../mcp/call.ts";'],
  ["oauth reads the tools beside it", "oauth/x.ts", 'import { TOOLS } from "../tools/index.ts";'],
  ["mcp reads the object above it", "mcp/x.ts", 'import { A } from "../agent/a.ts";'],
  ["the object reads the routes", "agent/x.ts", 'import { ROUTES } from "../routes.ts";'],
  ["an export from counts", "core/x.ts", 'export * from "../crypto/box.ts";'],
  ["an import over several lines counts", "core/x.ts", 'import {\n  seal,\n} from "../crypto/box.ts";'],
  ["an import for its effects counts", "core/x.ts", 'import "../crypto/box.ts";'],
  ["a dynamic import counts", "core/x.ts", 'const box = await import("../crypto/box.ts");'],
  ["single quotes count", "core/x.ts", "import { seal } from '../crypto/box.ts';"],
  ["a folder on no floor", "helpers/x.ts", 'import { utf8 } from "../core/bytes.ts";'],
  ["a file that is not there", "oauth/x.ts", 'import { gone } from "./gone.ts";'],
  ["a file outside src", "oauth/x.ts", 'import { ADA } from "../../fixtures/people.ts";'],
  ["a package that is not one of three", "oauth/x.ts", 'import { z } from "zod";'],
  ["a type package as a value", "tools/x.ts", 'import { Message } from "@microsoft/microsoft-graph-types";'],
  [
    "a type package by a value's name",
    "tools/x.ts",
    'import { type Message } from "@microsoft/microsoft-graph-types";',
  ],
  ["a type of a package that is not listed", "tools/x.ts", 'import type { z } from "zod";'],
  ["a node module", "core/x.ts", 'import { Buffer } from "node:buffer";'],
  ["a name that every object has", "oauth/x.ts", 'import x from "constructor";'],
  ["the platform outside the object", "routes.ts", 'import { env } from "cloudflare:workers";'],
  ["jose outside access and entra", "oauth/x.ts", 'import { jwtVerify } from "jose";'],
];

for (const [why, file, line] of REFUSED) {
  test(`self-check: refused, ${why}`, () => {
    const violations = floorViolations(house(file, line));
    assert.equal(violations.length, 1, violations.join("\n"));
    assert.match(violations[0] ?? "", new RegExp(`^src/${file}:[13] imports `));
  });
}

const ALLOWED: readonly (readonly [why: string, file: string, line: string])[] = [
  ["the object reads oauth and mcp", "agent/x.ts", 'import "../oauth/token.ts"; import "../mcp/call.ts";'],
  ["mcp reads the tools", "mcp/x.ts", 'import { TOOLS } from "../tools/index.ts";'],
  ["oauth skips floors", "oauth/x.ts", 'import { utf8 } from "../core/bytes.ts";'],
  ["a folder reads itself", "oauth/x.ts", 'import { token } from "./token.ts";'],
  ["a folder below reads its own folder", "oauth/grant/x.ts", 'import { token } from "../token.ts";'],
  ["observe reads the type of a checked configuration", "observe/x.ts", 'import type { C } from "../config.ts";'],
  ["the routes join oauth and mcp", "routes.ts", 'import "./oauth/token.ts"; import "./mcp/call.ts";'],
  ["an import in a comment is none", "core/x.ts", '// as in: import { seal } from "../crypto/box.ts";'],
  ["types of Graph's format", "tools/x.ts", 'import type { Message } from "@microsoft/microsoft-graph-types";'],
  ["valibot anywhere", "graph/x.ts", 'import * as v from "valibot";'],
];

for (const [why, file, line] of ALLOWED) {
  test(`self-check: allowed, ${why}`, () => assert.deepEqual(floorViolations(house(file, line)), []));
}
