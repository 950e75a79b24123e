import assert from "node:assert/strict";
import { test } from "node:test";
import type { Level, LogEvent } from "../../src/observe/events.ts";
import { createLog, describeFault } from "../../src/observe/log.ts";

const CONTEXT = { requestId: "id-1", clientType: "mcp-remote", clock: () => 1_800_000_000_123 };

/** What a logger of this level writes. */
function written(event: LogEvent, minimumLevel: Level = "DEBUG"): string[] {
  const lines: string[] = [];
  const { log } = console;
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    createLog({ ...CONTEXT, minimumLevel })(event);
  } finally {
    console.log = log;
  }
  return lines;
}

const EVENT: LogEvent = { level: "INFO", message: "OAuth request refused", code: "code_expired", context: "/token" };
const LEVELS: readonly Level[] = ["DEBUG", "INFO", "WARN", "ERROR"];
const EVENTS: { readonly [L in Level]: LogEvent } = {
  DEBUG: { level: "DEBUG", message: "request" },
  INFO: EVENT,
  WARN: { level: "WARN", message: "Authentication by Cloudflare Access failed" },
  ERROR: { level: "ERROR", message: "unexpected fault", error: "TypeError" },
};

for (const [index, minimum] of LEVELS.entries()) {
  test(`LG-01: a logger of level ${minimum} writes ${LEVELS.slice(index).join(", ")} alone`, () => {
    const levels = LEVELS.filter((level) => written(EVENTS[level], minimum).length === 1);
    assert.deepEqual(levels, LEVELS.slice(index));
  });
}

test("LG-01: an event is one line of JSON with time, level, message, request id and client type first", () => {
  const [line = "", ...more] = written(EVENT);
  assert.deepEqual(more, []);
  assert.deepEqual(Object.entries(JSON.parse(line)), [
    ["timestamp", "2027-01-15T08:00:00.123Z"],
    ["level", "INFO"],
    ["message", "OAuth request refused"],
    ["requestId", "id-1"],
    ["clientType", "mcp-remote"],
    ["code", "code_expired"],
    ["context", "/token"],
  ]);
});

test("LG-01: whatever order an event has, its line has that of the requirement", () => {
  const event: LogEvent = {
    metadata: { aiGatewayLogId: null, attempt: 1 },
    context: "Microsoft Graph error",
    code: "graph_throttled",
    status: 429,
    durationMs: 5,
    tool: "getEmails",
    userId: "id-2",
    message: "Graph API error",
    level: "WARN",
  };
  const order = "timestamp level message requestId clientType userId tool durationMs status code context metadata";
  assert.deepEqual(Object.keys(JSON.parse(written(event)[0] ?? "")), order.split(" "));
  const fault: LogEvent = { error: "TypeError", context: "/token", level: "ERROR", message: "unexpected fault" };
  assert.deepEqual(Object.keys(JSON.parse(written(fault)[0] ?? "")).slice(5), ["context", "error"]);
});

test("LG-01: a line break inside a value does not start a second line", () => {
  const [line = ""] = written({ ...EVENT, metadata: { clientId: 'a\n{"level":"ERROR"}\u2028' } } as LogEvent);
  assert.equal(line.split("\n").length, 1);
});

/** Mail could be quoted in any of these. */
const PRIVATE = "ada.novak@contoso.example";

const FAULTS: readonly (readonly [what: string, error: unknown])[] = [
  ["a message", new Error(PRIVATE)],
  ["a message of several lines", new Error(`first\n${PRIVATE}\nlast`)],
  ["a message with a line that looks like a stack frame", new Error(`first\n    at ${PRIVATE} (mail.ts:1:1)`)],
  ["the message of its cause", new Error("outer", { cause: new Error(PRIVATE) })],
  ["members of its own", Object.assign(new Error("outer"), { body: PRIVATE })],
  ["a thrown text", PRIVATE],
  ["a thrown object", { message: PRIVATE, stack: PRIVATE, name: PRIVATE }],
];

for (const [what, error] of FAULTS) {
  test(`ER-05, LG-07: a fault is described without ${what}`, () => {
    assert.equal(describeFault(error).includes(PRIVATE), false);
  });
}

test("LG-01: a fault is described by its class and where it was thrown", () => {
  assert.match(describeFault(new TypeError("x")), /^TypeError at .*log\.test\.ts/);
});

test("LG-01: a fault without a stack is described by its class", () => {
  const fault = new RangeError("x");
  delete fault.stack;
  assert.equal(describeFault(fault), "RangeError");
});
