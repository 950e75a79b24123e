import assert from "node:assert/strict";
import { test } from "node:test";
import { reviewStreams, type Stream } from "../../src/agent/streams.ts";
import type { EpochSeconds } from "../../src/core/time.ts";
import { REST } from "../../src/mcp/socket.ts";
import type { Active, Grant } from "../../src/oauth/grant/grant.ts";
import { FixtureSocket } from "./fixture-socket.ts";

const NOW = 1_800_000_000 as EpochSeconds;
const later = (seconds: number) => (NOW + seconds) as EpochSeconds;

const GRANT: Active = {
  state: "active",
  formExpiresAt: NOW,
  authorization: {
    clientId: "client",
    redirectUri: "https://app.example.com/callback",
    resource: "https://mcp.example.com",
    scopes: ["Mail.Read"],
    person: { tid: "t", oid: "o", name: "Ada", email: "ada@example.com" },
    accessIdentity: null,
    createdAt: NOW,
    expiresAt: later(86_400),
  },
  code: { hash: "code", challenge: "c", expiresAt: NOW, failures: 0 },
  refresh: { current: "r", expiresAt: later(86_400), previous: null },
  access: [
    { hash: "first", scopes: ["Mail.Read"], expiresAt: later(60) },
    { hash: "second", scopes: ["Mail.Read"], expiresAt: later(3600) },
  ],
};

function streamOf(accessHash: string, expiresAt: EpochSeconds, origin = "https://mcp.example.com"): FixtureSocket {
  const perimeter = { identity: undefined, isRequired: false };
  const trace = { requestId: "r", clientType: "unknown" };
  const stream: Stream = {
    gid: "g",
    trace,
    origin,
    path: "/sse",
    accessHash,
    expiresAt,
    sessionId: accessHash,
    perimeter,
  };
  const socket = new FixtureSocket();
  socket.serializeAttachment({ stream, pace: REST });
  return socket;
}

function review(sockets: readonly FixtureSocket[], grant: Grant | undefined, now = NOW): number {
  return reviewStreams(
    sockets.map((socket) => socket.asWebSocket),
    grant,
    now,
  );
}

const closed = (sockets: readonly FixtureSocket[]) => sockets.map(({ closedWith }) => closedWith?.[0]);

test("AU-02: the end of a grant closes every stream with 1008", () => {
  for (const grant of [undefined, { state: "ended", reason: "revoked", formExpiresAt: NOW } as const]) {
    const sockets = [streamOf("first", later(60)), streamOf("second", later(3600))];
    assert.equal(review(sockets, grant), Infinity);
    assert.deepEqual(closed(sockets), [1008, 1008]);
  }
});

test("AU-02: revoking one access token closes its streams and no other", () => {
  const sockets = [streamOf("first", later(60)), streamOf("second", later(3600))];
  assert.equal(review(sockets, { ...GRANT, access: GRANT.access.slice(1) }), later(3600));
  assert.deepEqual(closed(sockets), [1008, undefined]);
});

test("EP-04: a stream is closed in the second its token expires, and the next one is waited for", () => {
  const sockets = [streamOf("first", later(60)), streamOf("second", later(3600))];
  assert.equal(review(sockets, GRANT, later(59)), later(60));
  assert.deepEqual(closed(sockets), [undefined, undefined]);
  assert.equal(review(sockets, GRANT, later(60)), later(3600));
  assert.deepEqual(closed(sockets), [1008, undefined]);
});

test("AU-06: a stream on another origin than the token was issued for is closed", () => {
  const sockets = [streamOf("first", later(60), "https://elsewhere.example.com")];
  review(sockets, GRANT);
  assert.deepEqual(closed(sockets), [1008]);
});

test("EP-04: without streams there is nothing to wait for", () => assert.equal(review([], GRANT), Infinity));
