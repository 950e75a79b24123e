import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { eventStream } from "../../src/agent/event-stream.ts";
import { FixtureSocket } from "./fixture-socket.ts";

// workerd's pipe is a TransformStream that changes nothing; Node has only the general one.
Object.assign(globalThis, { IdentityTransformStream: TransformStream });

function open(socket: FixtureSocket) {
  const { body } = eventStream(socket.asWebSocket, "/sse/message?sessionId=x");
  assert.ok(body !== null);
  const reader = body.getReader();
  const read = async () => {
    const { value } = await reader.read();
    return value && new TextDecoder().decode(value);
  };
  return { read, cancel: () => reader.cancel() };
}

test("EP-03: a comment at once, then the endpoint, then a comment every 20 s", async () => {
  mock.timers.enable({ apis: ["setInterval"] });
  try {
    const stream = open(new FixtureSocket());
    assert.equal(await stream.read(), ":\n\nevent: endpoint\ndata: /sse/message?sessionId=x\n\n");
    for (let minute = 0; minute < 3; minute += 1) {
      mock.timers.tick(20_000);
      assert.equal(await stream.read(), ":\n\n");
    }
  } finally {
    mock.timers.reset();
  }
});

test("EP-03: what the object sends is a message event; when it closes, the stream ends and its timer with it", async () => {
  const socket = new FixtureSocket();
  const stream = open(socket);
  await stream.read();
  socket.receive('{"jsonrpc":"2.0","id":1,"result":{}}');
  assert.equal(await stream.read(), 'event: message\ndata: {"jsonrpc":"2.0","id":1,"result":{}}\n\n');
  socket.hangUp();
  assert.equal(await stream.read(), undefined);
});

test("EP-03: a client that goes closes the socket to the object", async () => {
  const socket = new FixtureSocket();
  const stream = open(socket);
  await stream.cancel();
  await new Promise(setImmediate);
  assert.ok(socket.closedWith !== undefined);
});

test("EP-03: a client that does not read is let go at 4 MiB, so that it cannot fill the isolate", async () => {
  const socket = new FixtureSocket();
  open(socket);
  for (let sent = 0; sent < 5; sent += 1) socket.receive("x".repeat(1_000_000));
  assert.ok(socket.closedWith !== undefined);
});
