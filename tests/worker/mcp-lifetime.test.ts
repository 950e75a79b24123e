// How streams and sockets live through time: sleep and expiry.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { bundleWorker } from "../../fixtures/bundle.ts";
import { startStack } from "../../fixtures/stack.ts";
import { bearer, EventStream, Socket } from "../support/mcp.ts";
import { refresh, registerClient, signInWith, tokensOf } from "../support/oauth-client.ts";
import { gidOf, startLab } from "../support/oauth-lab.ts";

const HOUR = 3600;
const PING = '{"jsonrpc":"2.0","id":"late","method":"ping"}';

/** workerd puts an object to sleep that had nothing to do for 10 to 20 s. It tells nobody, so this once a test waits. */
const SLEEP_MILLISECONDS = 25_000;

test("EP-03, DO-05: stream and socket outlive the sleep of their object, which then answers them", async () => {
  const { text } = await bundleWorker("tests/support/mcp-hibernation-worker.ts");
  const stack = await startStack({ bundle: text });
  try {
    const births = async (): Promise<unknown> => (await fetch(`${stack.url}/__births`)).json();
    const { accessToken } = await signInWith(stack, await registerClient(stack));
    const stream = await EventStream.open(`${stack.url}/sse`, accessToken);
    const endpoint = await stream.event("endpoint");
    const socket = await Socket.open(`${stack.url}/mcp`, accessToken);
    assert.ok("result" in (await socket.ask("ping")));
    assert.equal(await births(), 1);
    await sleep(SLEEP_MILLISECONDS);
    socket.ws.send("ping");
    assert.equal(await socket.text(), "pong");
    assert.equal(await births(), 1, "a ping woke the object");
    const { result } = await socket.ask("tools/call", { name: "getEmails", arguments: { count: 1 } });
    assert.ok(!("isError" in (result as object)));
    assert.equal(await births(), 2, "the object did not sleep");
    const posted = await fetch(`${stack.url}${endpoint}`, { method: "POST", body: PING, headers: bearer(accessToken) });
    assert.equal(posted.status, 202);
    assert.equal((await stream.message()).id, "late");
    stream.close();
    socket.ws.close();
  } finally {
    await stack.dispose();
  }
});

test("EP-03, EP-04: a stream and a socket end when their token expires, and those of a younger token do not", async () => {
  const lab = await startLab();
  try {
    const client = await registerClient(lab.stack);
    const session = await signInWith(lab.stack, client);
    const gid = gidOf(session.accessToken);
    const stream = await EventStream.open(`${lab.stack.url}/sse`, session.accessToken);
    const socket = await Socket.open(`${lab.stack.url}/mcp`, session.accessToken);
    const { alarm } = await lab.look(gid);
    assert.ok(alarm !== null && alarm <= Date.now() + HOUR * 1000, "nothing will wake the object at the token's end");

    await lab.moveTo(HOUR / 2);
    const renewed = tokensOf(await refresh(lab.stack, client, session.refreshToken));
    const young = await Socket.open(`${lab.stack.url}/mcp`, renewed.accessToken);
    await lab.ring(gid);
    assert.ok("result" in (await socket.ask("ping")));

    await lab.moveTo(HOUR + 1);
    const rung = await lab.ring(gid);
    await stream.ended();
    assert.equal(await socket.closed, 1008);
    assert.ok("result" in (await young.ask("ping")));
    // The next to end is the younger one.
    assert.ok(rung.alarm !== null && Math.abs(rung.alarm - (Date.now() + 1.5 * HOUR * 1000)) < 60_000);
    young.ws.close();
  } finally {
    await lab.stack.dispose();
  }
});

test("EP-04: a socket whose alarm is late hears nothing more after its token's end", async () => {
  const lab = await startLab();
  try {
    const { accessToken } = await signInWith(lab.stack, await registerClient(lab.stack));
    const socket = await Socket.open(`${lab.stack.url}/mcp`, accessToken);
    await lab.moveTo(HOUR + 1);
    socket.ws.send(PING);
    assert.equal(await socket.closed, 1008);
  } finally {
    await lab.stack.dispose();
  }
});
