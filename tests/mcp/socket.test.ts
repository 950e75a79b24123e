import assert from "node:assert/strict";
import { test } from "node:test";
import { admit, answerOn, type Pace, REST } from "../../src/mcp/socket.ts";
import { ANONYMOUS, depsFor } from "./fixture-deps.ts";

const NOW = 1_800_000_000_000;

/** What sending the same text this often comes to. */
function sendTimes(times: number, text: string, nowMs = NOW, start: Pace = REST): Pace | number {
  let pace: Pace = start;
  for (let sent = 0; sent < times; sent += 1) {
    const admitted = admit(text, pace, nowMs);
    if (typeof admitted === "number") return admitted;
    pace = admitted;
  }
  return pace;
}

test("DO-07: the 1,001st message of a minute closes with 1008, the 1,000th does not", () => {
  assert.equal(sendTimes(1001, "{}"), 1008);
  assert.notEqual(sendTimes(1000, "{}"), 1008);
});

test("DO-07: over 10 MB in a minute closes with 1008", () => {
  assert.equal(sendTimes(3, "x".repeat(4_000_000)), 1008);
  assert.notEqual(sendTimes(2, "x".repeat(4_000_000)), 1008);
});

test("DO-07: a new minute counts from the start", () => {
  const full = sendTimes(1000, "{}");
  assert.ok(typeof full === "object");
  assert.equal(admit("{}", full, NOW + 59_999), 1008);
  assert.deepEqual(admit("{}", full, NOW + 60_000), { sinceMs: NOW + 60_000, messages: 1, bytes: 2 });
});

test("EP-16: a message over 4 MiB closes with 1009, counted in bytes", () => {
  assert.equal(admit("x".repeat(4_194_305), REST, NOW), 1009);
  assert.equal(admit("é".repeat(2_097_153), REST, NOW), 1009);
  assert.equal(typeof admit("x".repeat(4_194_304), REST, NOW), "object");
});

test("EP-04: a binary message closes with 1003", () => {
  assert.equal(admit(new ArrayBuffer(2), REST, NOW), 1003);
});

test("EP-04: answers go to an open socket only, and notifications have none", async () => {
  const sent: string[] = [];
  const socket = {
    readyState: 1,
    send: (text: string | ArrayBuffer | ArrayBufferView) => void sent.push(String(text)),
  };
  await answerOn(socket, '{"jsonrpc":"2.0","id":"","method":"ping"}', depsFor(ANONYMOUS));
  await answerOn(socket, '{"method":"initialized"}', depsFor(ANONYMOUS));
  await answerOn({ ...socket, readyState: 3 }, '{"jsonrpc":"2.0","id":2,"method":"ping"}', depsFor(ANONYMOUS));
  assert.deepEqual(sent, ['{"jsonrpc":"2.0","id":"","result":{}}']);
});
