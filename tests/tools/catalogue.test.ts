// Every tool at once: what holds for one holds for all.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { HOSTILE_TEXT } from "../../fixtures/graph/fault-effects.ts";
import { loadToolFixtures } from "../../fixtures/graph/tool-fixtures.ts";
import { GRAPH_SCOPES } from "../../src/graph/scopes.ts";
import { CATALOG, describeTool } from "../../src/mcp/catalog.ts";
import { RESOURCES } from "../../src/resources/index.ts";
import type { Tool } from "../../src/tools/define.ts";
import { TOOLS } from "../../src/tools/index.ts";
import { Lab } from "./lab.ts";

const fixtures = new Map(loadToolFixtures().map((fixture) => [fixture.name, fixture]));
const fixtureName = (tool: Tool) => tool.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** The validator that the SDK's client judges results with. */
const validator = new AjvJsonSchemaValidator();
const compile = (schema: unknown) => validator.getValidator(schema as Parameters<typeof validator.getValidator>[0]);

// biome-ignore format: a list reads best filled
const ORDER = ["getEmails", "searchEmails", "sendEmail", "getCalendarEvents", "createCalendarEvent", "sendTeamsMessage", "createTeamsMeeting",
  "getContacts", "authenticate", "listChannels", "getEmail", "checkAvailability", "replyToEmail", "updateCalendarEvent", "respondToEvent"];
/** Tools that only ask Graph: what their fixtures recorded decides, not what they say of themselves. */
const READERS = TOOLS.filter((tool) => {
  const exchanges = fixtures.get(fixtureName(tool))?.exchanges ?? [];
  const asks = ({ request }: (typeof exchanges)[number]) =>
    request.method === "GET" || request.path.startsWith("/me/calendar/getSchedule");
  return exchanges.length > 0 && exchanges.every(asks);
}).map(({ name }) => name);

test("section 10: tools/list is in the order of the specification and under 20 KB", () => {
  const text = JSON.stringify(CATALOG.list("tools/list"));
  // A tool that is new comes after those of the specification.
  assert.deepEqual(TOOLS.map(({ name }) => name).slice(0, ORDER.length), ORDER);
  assert.ok(Buffer.byteLength(text) < 19_700, `${Buffer.byteLength(text)} bytes`);
  assert.ok(!text.includes("$ref"));
});

test("D-15: the scopes of the catalogue are those that the product knows", () => {
  const needed = new Set([...TOOLS, ...RESOURCES].flatMap(({ scopes }) => scopes));
  assert.deepEqual(
    GRAPH_SCOPES.filter((scope) => !needed.has(scope)),
    [],
  );
  assert.equal(needed.size, GRAPH_SCOPES.length);
});

test("TL-05: whoever reads nothing but the list learns which zone a time without an offset is in", () => {
  const zones = TOOLS.map((tool) => JSON.stringify(describeTool(tool)))
    .filter((text) => /"start(Date)?Time"/.test(text))
    .map((text) => /"timeZone":\{[^}]*for times without offset[^}]*"default":"UTC"\}/.test(text));
  assert.deepEqual(zones, [true, true, true, true, true]);
});

for (const tool of TOOLS) {
  const listed = describeTool(tool) as Record<string, Record<string, unknown>>;
  const fixture = fixtures.get(fixtureName(tool));

  test(`${tool.name}: title, description, strict input, annotations, TL-22 scopes`, () => {
    assert.match(String(listed.title), /^[A-Z][a-z]+( [A-Z][a-z]+)*$/);
    assert.ok(
      tool.description.length > 40,
      "a description of more than 40 characters: what it does, side effects, limits",
    );
    assert.equal(listed.inputSchema?.type, "object");
    assert.equal(listed.inputSchema?.additionalProperties, false);
    assert.equal(listed.outputSchema?.type, "object");
    const hints = listed.annotations as Record<string, boolean>;
    const isClosed = tool.name === "authenticate";
    const reads = isClosed || READERS.includes(tool.name);
    assert.deepEqual(hints, {
      readOnlyHint: reads,
      destructiveHint: !reads,
      idempotentHint: reads,
      openWorldHint: !isClosed,
    });
    assert.deepEqual(listed._meta?.securitySchemes, [{ type: "oauth2", scopes: tool.scopes }]);
    compile(listed.outputSchema);
  });

  test(`${tool.name}: has a fixture, whose arguments fit the schema that clients see`, () => {
    assert.ok(fixture !== undefined, `fixtures/graph/${fixtureName(tool)}.json`);
    const judged = compile(listed.inputSchema)(fixture.arguments);
    assert.ok(judged.valid, judged.errorMessage);
    for (const { request } of fixture.exchanges) {
      const isRead = request.method === "GET" || request.path.endsWith("/getSchedule");
      assert.ok(isRead || !READERS.includes(tool.name), `${tool.name} writes`);
    }
  });
}

interface Played {
  readonly result: { content: { text: string }[]; structuredContent: Record<string, unknown>; isError?: true };
  readonly asked: { method: string; path: string; prefer: string | undefined; body: unknown }[];
}

/** Runs a tool's fixture: the recorded answers, or the one that stands for them all. */
async function play(
  lab: Lab,
  tool: Tool,
  instead?: (answer: Response) => Response | Promise<Response>,
): Promise<Played> {
  const fixture = fixtures.get(fixtureName(tool));
  assert.ok(fixture !== undefined);
  lab.reset();
  for (let at = 0; at < 6; at += 1) {
    const response = fixture.exchanges[Math.min(at, fixture.exchanges.length - 1)]?.response;
    lab.answers.push(() => {
      const text = response?.body === undefined ? null : JSON.stringify(response.body);
      const answer = new Response(text, { status: response?.status ?? 500 });
      return instead === undefined ? answer : instead(answer);
    });
  }
  const outcome = await lab.outcome({ name: tool.name, arguments: fixture.arguments });
  assert.ok(outcome.kind === "done", JSON.stringify(outcome));
  const asked = lab.calls.map(({ inputs }) => ({
    method: inputs.method,
    path: inputs.path.replace("/v1.0", ""),
    prefer: inputs.headers.Prefer,
    body: inputs.body,
  }));
  return { result: outcome.result as Played["result"], asked };
}

const FAILURES: readonly (readonly [type: string, answer: () => Response])[] = [
  ["graph_bad_request", () => graph(400, "BadRequest")],
  ["graph_unauthorized", () => graph(401, "InvalidAuthenticationToken")],
  ["graph_forbidden", () => graph(403, "ErrorAccessDenied")],
  ["graph_not_found", () => graph(404, "ErrorItemNotFound")],
  ["graph_conflict", () => graph(409, "Conflict")],
  ["graph_too_large", () => graph(413, "RequestEntityTooLarge")],
  ["graph_throttled", () => graph(429, "TooManyRequests", { "retry-after": "60" })],
  ["graph_unavailable", () => graph(500, "generalException")],
  ["graph_timeout", () => graph(504, "UnknownError", { "retry-after": "60" })],
  ["mailbox_unavailable", () => graph(404, "MailboxNotEnabledForRESTAPI")],
  ["gateway_policy", () => Response.json({ error: [{ code: 2029 }] }, { status: 424 })],
  ["gateway_rate_limited", () => Response.json({ code: 2003 }, { status: 429, headers: { "retry-after": "60" } })],
  ["gateway_unavailable", () => Response.json({ error: [{ code: 2009 }] }, { status: 401 })],
];

function graph(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json(
    { error: { code, message: `${HOSTILE_TEXT} "quoted"\n${"x".repeat(400)}` } },
    { status, headers },
  );
}

const open: Lab[] = [];
after(() => Promise.all(open.map((lab) => lab.close())));

for (const tool of TOOLS) {
  const validate = compile(describeTool(tool).outputSchema);
  const assertFits = (value: unknown) => {
    const judged = validate(value);
    assert.ok(judged.valid, judged.errorMessage);
  };

  test(`${tool.name}: asks what its fixture recorded, and its result fits its outputSchema`, async () => {
    const lab = await Lab.start();
    open.push(lab);
    const { result, asked } = await play(lab, tool);
    assert.equal(result.isError, undefined, result.content[0]?.text);
    assertFits(result.structuredContent);
    const recorded = fixtures.get(fixtureName(tool))?.exchanges.map(({ request }) => request) ?? [];
    assert.deepEqual(
      asked.map(({ method, path, prefer }) => [method, decodeURIComponent(path), prefer]),
      recorded.map(({ method, path, headers }) => [method, decodeURIComponent(path), headers?.prefer]),
    );
    for (const [index, { body }] of asked.entries()) {
      const { transactionId: _own, ...sent } = (body ?? {}) as Record<string, unknown>;
      const { transactionId: _recorded, ...expected } = recorded[index]?.body ?? {};
      assert.deepEqual(JSON.parse(JSON.stringify(sent)), expected);
    }
  });

  if (tool.name === "authenticate") continue;

  for (const [type, answer] of FAILURES) {
    test(`ER-05 to ER-07: ${tool.name} after ${type}: fits the schema, says what and what to do, once`, async () => {
      const lab = await Lab.start();
      open.push(lab);
      const { result } = await play(lab, tool, () => answer());
      assert.equal(result.isError, true);
      assertFits(result.structuredContent);
      const { error } = result.structuredContent as { error: Record<string, unknown> };
      const names = ["type", "code", "status", "retryable", "retryAfterSeconds", "requestId", "scope"];
      assert.deepEqual(
        Object.keys(error).filter((name) => !names.includes(name)),
        [],
      );
      assert.equal(error.type, type);
      assert.equal(typeof error.retryable, "boolean");
      const text = result.content[0]?.text ?? "";
      assert.match(
        text,
        new RegExp(
          `^${tool.name} failed: .+\\. Context: ${tool.name}, status \\d+.*request id [\\w-]+\\. Troubleshooting: .+\\.$`,
        ),
      );
      assert.ok(text.length < 1000 && !text.includes("\n") && !text.includes("\u202e"));
      assert.equal(lab.refreshes, type === "graph_unauthorized" ? 1 : 0);
      // ER-05
      assert.doesNotMatch(JSON.stringify(result), /microsoft-token|Bearer|m365-egress-gateway|MCP_OBJECT|AADSTS/);
    });
  }

  test(`ER-04: ${tool.name} with an answer that is no JSON, or not what Graph documents: a read fails as response_invalid, a write has happened`, async () => {
    const lab = await Lab.start();
    open.push(lab);
    for (const body of ["<html>", "", '{"value":[{"id":', '{"id":5,"value":7}']) {
      const { result } = await play(lab, tool, (answer) => new Response(body, { status: answer.status }));
      const readsFirst = READERS.includes(tool.name) || tool.name === "updateCalendarEvent";
      const isPost = tool.name === "checkAvailability";
      assert.equal(result.isError === true, readsFirst, `${body}: ${result.content[0]?.text}`);
      if (!readsFirst) continue;
      const { error } = result.structuredContent as { error: { type: string } };
      assert.equal(error.type, "response_invalid", isPost ? "a POST that reads" : "a GET");
    }
  });

  test(`${tool.name}: hostile text in every field of every answer stays data`, async () => {
    const lab = await Lab.start();
    open.push(lab);
    const { result, asked } = await play(lab, tool, async (answer) => {
      const text = await answer.text();
      if (text === "") return new Response(null, { status: answer.status });
      return Response.json(poison(JSON.parse(text)), { status: answer.status });
    });
    assert.equal(result.isError, undefined, result.content[0]?.text);
    assertFits(result.structuredContent);
    const [shown] = result.content;
    if (shown?.text.startsWith("[") || shown?.text.startsWith("{")) JSON.parse(shown.text);
    const plain = await play(lab, tool);
    assert.deepEqual(
      asked.map(({ method }) => method),
      plain.asked.map(({ method }) => method),
    );
    for (const { path } of asked) assert.ok(!path.includes("attacker"), path);
  });

  test(`TL-15: ${tool.name} stays under 100 KB whatever is in the answers`, async () => {
    const lab = await Lab.start();
    open.push(lab);
    const { result } = await play(lab, tool, async (answer) => {
      const text = await answer.text();
      if (text === "") return new Response(null, { status: answer.status });
      const body = inflate(JSON.parse(text)) as { value?: unknown[] };
      if (Array.isArray(body.value)) body.value = Array.from({ length: 50 }, () => body.value?.[0]);
      return Response.json(body, { status: answer.status });
    });
    assert.ok(
      Buffer.byteLength(JSON.stringify(result)) <= 100_000,
      `${Buffer.byteLength(JSON.stringify(result))} bytes`,
    );
  });
}

const KEPT = /^@|^id$|Id$|dateTime$|DateTime$|joinUrl|joinWebUrl/;

function poison(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(poison);
  if (typeof value === "string") return `${value} ${HOSTILE_TEXT} https://graph.attacker.example/v1.0/`;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, KEPT.test(name) ? inner : poison(inner)]),
  );
}

function inflate(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inflate);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]) => [
    name,
    name === "content" || name === "bodyPreview"
      ? `${inner}${'čš\n"'.repeat(name === "content" ? 15_000 : 60)}`
      : inflate(inner),
  ]);
  return Object.fromEntries(entries);
}
