import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { serveAnonymous } from "../../src/agent/anonymous-socket.ts";
import { ANONYMOUS, depsFor } from "../mcp/fixture-deps.ts";
import { FixtureSocket } from "./fixture-socket.ts";

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

function open(): FixtureSocket {
  const socket = new FixtureSocket();
  serveAnonymous(socket.asWebSocket, () => depsFor(ANONYMOUS), Date.now);
  return socket;
}

/** Runs a test on a clock of its own. */
function timed(title: string, run: () => Promise<void> | void): void {
  test(title, async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_800_000_000_000 });
    try {
      await run();
    } finally {
      mock.timers.reset();
    }
  });
}

timed("EP-04: an anonymous socket that says nothing for 60 s is closed", () => {
  const socket = open();
  mock.timers.tick(59_999);
  assert.equal(socket.closedWith, undefined);
  mock.timers.tick(1);
  assert.deepEqual(socket.closedWith?.[0], 1000);
});

timed("EP-04: an anonymous socket is closed after 10 minutes however much it says", () => {
  const socket = open();
  for (let second = 0; second < 599; second += 1) {
    mock.timers.tick(1000);
    socket.receive(PING);
  }
  assert.equal(socket.closedWith, undefined);
  mock.timers.tick(1000);
  assert.deepEqual(socket.closedWith?.[0], 1000);
});

timed("DO-07: an anonymous socket is closed with 1008 over 1,000 messages a minute, and answers no more", async () => {
  const socket = open();
  for (let sent = 0; sent < 1001; sent += 1) socket.receive("ping");
  assert.deepEqual(socket.closedWith?.[0], 1008);
  assert.equal(socket.sent.length, 1000);
});

timed("EP-04: a client that hangs up leaves no timer behind", () => {
  const socket = open();
  socket.hangUp();
  mock.timers.tick(700_000);
  assert.equal(socket.closedWith, undefined);
});
