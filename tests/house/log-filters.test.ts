// The jq filters of OPERATIONS.md over lines that the product's own logger wrote.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { LogEvent } from "../../src/observe/events.ts";
import { createLog } from "../../src/observe/log.ts";
import { type Command, commandsOf, readText } from "./documents.ts";

const ADA = "3f2b8c1e-6a57-4a2f-9c0d-1b7e5d4f8a01";
const APPROVAL = { clientId: "c1", redirectHost: "app.example.com", scopes: ["Mail.Read"], accessIdentity: null };
const CALL = {
  binding: "MCP_OBJECT",
  clientId: "c1",
  accessIdentity: null,
  aiGatewayLogId: null,
  graphRequestIds: [],
} as const;
const GRAPH = { aiGatewayLogId: null, attempt: 1 };

/** Five calls of getEmails and one of sendEmail: one failed, one was refused for its arguments, one for its scopes. */
const EVENTS: readonly LogEvent[] = [
  { level: "INFO", message: "OAuth grant approved", metadata: APPROVAL },
  { level: "INFO", message: "OAuth grant approved", metadata: APPROVAL },
  { level: "INFO", message: "OAuth sign-in completed", userId: ADA, metadata: APPROVAL },
  { level: "INFO", message: "tool: getEmails", tool: "getEmails", userId: ADA, durationMs: 100, metadata: CALL },
  { level: "INFO", message: "tool: getEmails", tool: "getEmails", userId: ADA, durationMs: 90, metadata: CALL },
  { level: "INFO", message: "tool: getEmails", tool: "getEmails", userId: "other", durationMs: 80, metadata: CALL },
  {
    level: "WARN",
    message: "Graph API error",
    context: "Microsoft Graph error",
    code: "graph_throttled",
    tool: "sendEmail",
    status: 429,
    metadata: GRAPH,
  },
  {
    level: "WARN",
    message: "tool: sendEmail",
    tool: "sendEmail",
    userId: ADA,
    durationMs: 400,
    code: "graph_throttled",
    metadata: CALL,
  },
  {
    level: "WARN",
    message: "tool: getEmails",
    tool: "getEmails",
    userId: ADA,
    durationMs: 5,
    code: "validation_error",
    metadata: CALL,
  },
  {
    level: "WARN",
    message: "tool: getEmails",
    tool: "getEmails",
    userId: "other",
    durationMs: 1,
    code: "insufficient_scope",
    metadata: CALL,
  },
  { level: "WARN", message: "OAuth grant ended", code: "refresh_reused", userId: ADA, metadata: APPROVAL },
  { level: "INFO", message: "OAuth grant ended", code: "revoked", userId: ADA, metadata: APPROVAL },
  { level: "ERROR", message: "configuration error", metadata: { keys: ["COOKIE_SECRET"] } },
  { level: "ERROR", message: "unexpected fault", error: "TypeError at worker.js:1:1" },
];

/** What each filter finds, by the remark behind it. */
const FOUND: { readonly [remark: string]: (output: string) => void } = {
  "one request, all its lines": (output) => assert.equal(linesOf(output).length, EVENTS.length),
  "what somebody has to look at": (output) => assert.equal(linesOf(output).length, 2),
  "what one person did": (output) => {
    const tools = linesOf(output).map((line) => (JSON.parse(line) as string[])[1]);
    assert.deepEqual(tools, ["getEmails", "getEmails", "sendEmail", "getEmails"]);
  },
  "calls by tool": (output) => assert.match(output, /^\s*5 getEmails\n\s*1 sendEmail\n$/),
  "95th percentile, ms": (output) => assert.equal(output, "400\n"),
  "tools: share that worked": (output) => assert.equal(output, "0.75\n"),
  "sign-in: share that worked": (output) => assert.equal(output, "0.5\n"),
  "why Graph calls fail": (output) => assert.match(output, /^\s*1 graph_throttled\n$/),
  "somebody had what they should not": (output) => {
    assert.deepEqual(
      linesOf(output).map((line) => JSON.parse(line).code),
      ["refresh_reused"],
    );
  },
  "settings to correct": (output) => assert.equal(output, '["COOKIE_SECRET"]\n'),
  "from wrangler tail": (output) => assert.equal(output, ""),
  "from Logpush": (output) => assert.equal(output, ""),
};

const linesOf = (output: string) => output.split("\n").filter((line) => line !== "");

/** As the logger writes them. */
function written(): string[] {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    const clock = () => 1_800_000_000_000;
    const write = createLog({ requestId: "id-1", clientType: "mcp-remote", minimumLevel: "DEBUG", clock });
    for (const event of EVENTS) write(event);
  } finally {
    console.log = log;
  }
  return lines;
}

const hasJq = spawnSync("jq", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "m365-log-filters-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const lines = written();
// Cloudflare: wrangler tail --format json, one object per invocation; a line of somebody else's is among them.
const tail = [lines.slice(0, 5), lines.slice(5)].map((part) => ({
  outcome: "ok",
  logs: part.map((line) => ({ message: [line], level: "log", timestamp: 1 })),
}));
const foreign = { outcome: "ok", logs: [{ message: ["not JSON"], level: "log", timestamp: 1 }] };
writeFileSync(join(folder, "tail.json"), [...tail, foreign].map((item) => JSON.stringify(item, null, 2)).join("\n"));
// Cloudflare: Workers trace events, field Logs.
const events = { Outcome: "ok", Logs: lines.map((line) => ({ Level: "log", Message: [line], TimestampMs: 1 })) };
writeFileSync(join(folder, "logpush.ndjson"), JSON.stringify(events));

const filters = commandsOf(await readText("OPERATIONS.md")).filter(({ text }) => text.startsWith("jq "));

test("LG-06: OPERATIONS.md has a filter for everything that is checked here, and no other", () => {
  assert.deepEqual(filters.map(({ remark }) => remark).sort(), Object.keys(FOUND).sort());
});

for (const { text, remark = "" } of filters) {
  test(`LG-06: the jq filter of OPERATIONS.md, "${remark}"`, { skip: !hasJq && "jq is not installed" }, () => {
    writeFileSync(join(folder, "lines.ndjson"), `${lines.join("\n")}\n`);
    const output = execFileSync("sh", ["-c", text], { cwd: folder, encoding: "utf8" });
    FOUND[remark]?.(output);
    if (text.includes("> lines.ndjson")) {
      const unwrapped = execFileSync("cat", ["lines.ndjson"], { cwd: folder, encoding: "utf8" });
      assert.deepEqual(
        linesOf(unwrapped).map((line) => JSON.parse(line)),
        lines.map((line) => JSON.parse(line)),
      );
    }
  });
}

test("LG-06: every field that OPERATIONS.md names in a filter is one that the logger writes", () => {
  const fields = new Set(lines.flatMap((line) => Object.keys(JSON.parse(line) as object)));
  const wrapping = ["logs", "message", "Logs", "Message", "metadata", "clientId", "keys"];
  const used = (filters as readonly Command[]).flatMap(({ text }) =>
    Array.from(text.matchAll(/(?<=[\s([,|{])\.([A-Za-z]+)/g), ([, name = ""]) => name),
  );
  assert.deepEqual(
    [...new Set(used)].filter((name) => !fields.has(name) && !wrapping.includes(name)),
    [],
  );
});
