import assert from "node:assert/strict";
import { test } from "node:test";
import { err, ok, type Result } from "../../src/core/result.ts";
import type { GatewayAnswer, GatewayProblem, GatewayRequest } from "../../src/egress/gateway.ts";
import { callGraph, type GraphDeps } from "../../src/graph/client.ts";
import type { GraphRequest } from "../../src/graph/request.ts";
import { Traffic } from "../../src/graph/traffic.ts";
import { testConfig } from "../environment.ts";

const READ: GraphRequest = { method: "GET", path: { segments: ["me"] } };
const SEND: GraphRequest = { method: "POST", path: { segments: ["me", "sendMail"] }, body: {} };
const CREATE: GraphRequest = { ...SEND, isIdempotent: true };
const CHANGE: GraphRequest = { ...SEND, method: "PATCH" };

type Scripted = Result<Response, GatewayProblem>;

/** Graph as a script; time passes only while somebody waits. */
class Wire {
  readonly sent: { readonly request: GatewayRequest; readonly deadlineMs: number }[] = [];
  readonly waits: number[] = [];
  readonly reports: string[] = [];
  nowMs = 1_000_000;
  readonly #script: Scripted[];
  readonly deps: GraphDeps;

  constructor(script: readonly Scripted[], traffic = new Traffic(), random = 1) {
    this.#script = [...script];
    this.deps = {
      send: async (request, deadlineMs): Promise<Result<GatewayAnswer, GatewayProblem>> => {
        this.sent.push({ request, deadlineMs });
        const next = this.#script.length > 1 ? this.#script.shift() : this.#script[0];
        if (next === undefined) throw new Error("an empty script");
        return next.ok ? ok({ response: next.value.clone() as Response, logId: "log-1" }) : next;
      },
      traffic,
      accessToken: "a-token",
      requestId: "a-request",
      config: testConfig(),
      clock: () => this.nowMs,
      wait: async (milliseconds) => {
        this.waits.push(milliseconds);
        this.nowMs += milliseconds;
      },
      random: () => random,
      report: (result, attempt) => this.reports.push(`${attempt} ${result.ok ? "ok" : result.error.type}`),
    };
  }
}

const GOOD = ok(Response.json({ id: "1" }));
const answer = (status: number, headers: Record<string, string> = {}, body: unknown = { error: { code: "Some" } }) =>
  ok(new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } }));
const NETWORK = err("gateway_unavailable" as const);
const TIMEOUT = err("graph_timeout" as const);

const REPEATED: readonly (readonly [what: string, request: GraphRequest, first: Scripted, hits: number])[] = [
  ...[429, 502, 503, 504].map((status) => [`read ${status}`, READ, answer(status), 2] as const),
  ["read, no network", READ, NETWORK, 2],
  ...[400, 401, 403, 404, 409, 412, 413, 500, 501, 507].map((s) => [`read ${s}`, READ, answer(s), 1] as const),
  ["read, deadline over", READ, TIMEOUT, 1],
  ["send 429", SEND, answer(429), 2],
  ...[500, 502, 503, 504].map((status) => [`send ${status}`, SEND, answer(status), 1] as const),
  ["send 503 with Retry-After", SEND, answer(503, { "retry-after": "1" }), 1],
  ["send, no network", SEND, NETWORK, 1],
  ["change 429", CHANGE, answer(429), 2],
  ["change 503", CHANGE, answer(503), 1],
  ...[429, 500, 502, 503, 504].map((status) => [`create ${status}`, CREATE, answer(status), 2] as const),
  ["create 409", CREATE, answer(409), 1],
  ["create, no network", CREATE, NETWORK, 2],
];

for (const [what, request, first, hits] of REPEATED) {
  test(`RL-02: ${what}, then 200: ${hits === 1 ? "sent once" : "sent again"}`, async () => {
    const wire = new Wire([first, GOOD]);
    const result = await callGraph(request, wire.deps);
    assert.equal(wire.sent.length, hits);
    assert.equal(result.ok, hits === 2);
  });
}

test("RL-02: the gateway's own 429 is sent again, writes included: it was not passed on", async () => {
  const wire = new Wire([answer(429, {}, { code: 2003, message: "Rate limited" }), GOOD]);
  assert.equal((await callGraph(SEND, wire.deps)).ok, true);
});

test("RL-02: three attempts and no more, waiting 1 s and 2 s", async () => {
  const wire = new Wire([answer(503)]);
  const result = await callGraph(READ, wire.deps);
  assert.equal(wire.sent.length, 3);
  assert.deepEqual(wire.waits, [1000, 2000]);
  assert.ok(!result.ok && result.error.type === "graph_unavailable");
  assert.deepEqual(wire.reports, ["1 graph_unavailable", "2 graph_unavailable", "3 graph_unavailable"]);
});

test("RL-02: the wait is jittered down to a half, and never below Retry-After", async () => {
  const jittered = new Wire([answer(503), GOOD], new Traffic(), 0);
  await callGraph(READ, jittered.deps);
  assert.deepEqual(jittered.waits, [500]);
  const asked = new Wire([answer(429, { "retry-after": "3" }), GOOD], new Traffic(), 0);
  await callGraph(READ, asked.deps);
  assert.deepEqual(asked.waits, [3000]);
});

test("RL-02: Retry-After may be a date", async () => {
  const wire = new Wire([answer(429, { "retry-after": new Date(1_004_000).toUTCString() }), GOOD]);
  await callGraph(READ, wire.deps);
  assert.deepEqual(wire.waits, [4000]);
});

test("RL-02: whoever would wait over 10 s in all is answered at once, with retryAfterSeconds", async () => {
  const wire = new Wire([answer(429, { "retry-after": "11" }), GOOD]);
  const result = await callGraph(READ, wire.deps);
  assert.ok(!result.ok && result.error.retryAfterSeconds === 11 && result.error.retryable);
  assert.deepEqual([wire.sent.length, wire.waits], [1, []]);
  const twice = new Wire([answer(429, { "retry-after": "6" })]);
  await callGraph(READ, twice.deps);
  assert.deepEqual([twice.sent.length, twice.waits], [2, [6000]]);
});

test("RL-02: 202 with Retry-After is success", async () => {
  const wire = new Wire([ok(new Response(null, { status: 202, headers: { "retry-after": "5" } }))]);
  const result = await callGraph(SEND, wire.deps);
  assert.ok(result.ok && result.value.status === 202 && result.value.body === undefined);
  assert.equal(wire.sent.length, 1);
});

test("RL-04: a read has 15 s and a write 30 s, retries included", async () => {
  const read = new Wire([answer(429, { "retry-after": "4" }), GOOD]);
  await callGraph(READ, read.deps);
  assert.deepEqual(
    read.sent.map(({ deadlineMs }) => deadlineMs),
    [15_000, 11_000],
  );
  const write = new Wire([GOOD]);
  await callGraph(SEND, write.deps);
  assert.equal(write.sent[0]?.deadlineMs, 30_000);
});

test("RL-04: over the deadline is graph_timeout, also in the middle of the body", async () => {
  const late = await callGraph(READ, new Wire([TIMEOUT]).deps);
  assert.ok(!late.ok && late.error.type === "graph_timeout" && late.error.retryable);
  const body = new ReadableStream({
    start: (controller) => controller.error(new DOMException("over", "TimeoutError")),
  });
  const cut = new Wire([]);
  const deps = { ...cut.deps, send: async () => ok({ response: new Response(body), logId: null }) };
  const result = await callGraph(READ, deps);
  assert.ok(!result.ok && result.error.type === "graph_timeout");
});

const UNREADABLE: readonly (readonly [what: string, body: BodyInit | null])[] = [
  ["empty", null],
  ["HTML", "<!doctype html><p>hello"],
  ["cut", '{"value":[{"id":"1"},{"i'],
  ["not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d])],
  ["too deep", `${"[".repeat(200)}${"]".repeat(200)}`],
];

for (const [what, body] of UNREADABLE) {
  test(`ER-04: a read's body that is ${what} is response_invalid; after a write it is success`, async () => {
    const read = await callGraph(READ, new Wire([ok(new Response(body))]).deps);
    assert.ok(!read.ok && read.error.type === "response_invalid" && !read.error.retryable);
    const write = await callGraph(SEND, new Wire([ok(new Response(body, { status: 201 }))]).deps);
    assert.ok(write.ok && write.value.body === undefined);
  });
}

test("ER-04: a connection that breaks in the body of a write's answer does not undo the write", async () => {
  const body = new ReadableStream({ start: (controller) => controller.error(new TypeError("broken")) });
  const wire = new Wire([]);
  const broken = { ...wire.deps, send: async () => ok({ response: new Response(body, { status: 201 }), logId: null }) };
  assert.equal((await callGraph(SEND, broken)).ok, true);
});

test("GW-12: an answer over 5 MB is response_too_large and not read to its end", async () => {
  let pulled = 0;
  const body = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(1024 * 1024));
    },
  });
  const wire = new Wire([]);
  const deps = { ...wire.deps, send: async () => ok({ response: new Response(body), logId: null }) };
  const result = await callGraph(READ, deps);
  assert.ok(!result.ok && result.error.type === "response_too_large");
  assert.ok(pulled < 9, `${pulled} MB were pulled`);
});

test("GW-12: every request has Accept and client-request-id; Content-Type only with a body", async () => {
  const wire = new Wire([GOOD]);
  await callGraph({ ...READ, prefer: ["a", "b"] }, wire.deps);
  await callGraph(SEND, wire.deps);
  const [read, send] = wire.sent.map(({ request }) => request);
  const common = { Authorization: "Bearer a-token", Accept: "application/json", "client-request-id": "a-request" };
  assert.deepEqual(read?.headers, { ...common, Prefer: "a, b" });
  assert.deepEqual(send?.headers, { ...common, "Content-Type": "application/json" });
  assert.equal(read?.body, undefined);
});

test("GW-05: a blocked answer is gateway_policy whatever its status is", async () => {
  const headers = { "cf-aig-dlp": '{"findings":[],"action":"BLOCK"}' };
  const result = await callGraph(READ, new Wire([answer(200, headers, {})]).deps);
  assert.ok(!result.ok && result.error.type === "gateway_policy");
  const flagged = await callGraph(READ, new Wire([answer(200, { "cf-aig-dlp": '{"action":"FLAG"}' }, {})]).deps);
  assert.equal(flagged.ok, true);
});

for (const [what, request] of [
  ["read", READ],
  ["send", SEND],
  ["create", CREATE],
] as const) {
  test(`RL-02 GW-05: a ${what} that a policy of the gateway blocked is never sent again, whatever the status`, async () => {
    const flag = { "cf-aig-dlp": '{"findings":[],"action":"BLOCK"}' };
    for (const status of [200, 424, 429, 503]) {
      const blocked = [
        answer(status, flag, {}),
        ...[2016, 2017, 2029, 2030].map((code) => answer(status, {}, { code })),
      ];
      for (const first of status === 200 ? blocked.slice(0, 1) : blocked) {
        const wire = new Wire([first, GOOD]);
        const result = await callGraph(request, wire.deps);
        assert.ok(!result.ok && result.error.type === "gateway_policy");
        assert.equal(wire.sent.length, 1, String(status));
      }
    }
  });
}

test("RL-03: after five unavailable answers in a row a grant fails fast for 30 s, then asks again", async () => {
  const traffic = new Traffic();
  const wire = new Wire([answer(503)], traffic);
  for (let call = 0; call < 5; call += 1) await callGraph(SEND, wire.deps);
  assert.equal(wire.sent.length, 5);
  const sixth = await callGraph(READ, wire.deps);
  assert.equal(wire.sent.length, 5);
  assert.ok(!sixth.ok && sixth.error.type === "graph_unavailable" && sixth.error.retryAfterSeconds === 30);
  wire.nowMs += 30_000;
  const well = new Wire([GOOD], traffic);
  well.nowMs = wire.nowMs;
  assert.equal((await callGraph(READ, well.deps)).ok, true);
});

test("RL-03: retries count, and stop when the pause begins", async () => {
  const wire = new Wire([answer(503)]);
  await callGraph(READ, wire.deps);
  await callGraph(READ, wire.deps);
  assert.equal(wire.sent.length, 5);
});

test("RL-03: an answer of Graph in between, even a refusal, ends the row", async () => {
  const wire = new Wire([...Array(4).fill(answer(503)), answer(404), answer(503)]);
  for (let call = 0; call < 9; call += 1) await callGraph(SEND, wire.deps);
  assert.equal(wire.sent.length, 9);
});

test("RL-05: at most four are in flight; the others wait their turn, in order", async () => {
  const traffic = new Traffic();
  const wire = new Wire([GOOD], traffic);
  let inFlight = 0;
  let highest = 0;
  const order: string[] = [];
  const deps: GraphDeps = {
    ...wire.deps,
    wait: () => new Promise(() => undefined),
    send: async (request) => {
      inFlight += 1;
      highest = Math.max(highest, inFlight);
      order.push(request.path);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight -= 1;
      return ok({ response: Response.json({}), logId: null });
    },
  };
  const names = Array.from({ length: 10 }, (_, index) => `n${index}`);
  await Promise.all(names.map((name) => callGraph({ method: "GET", path: { segments: [name] } }, deps)));
  assert.equal(highest, 4);
  assert.deepEqual(
    order,
    names.map((name) => `/v1.0/${name}`),
  );
});

for (const [title, request, answers, isUncertain] of [
  ["read that Graph could not answer", READ, [503, 503, 503], false],
  ["send that Graph refused", SEND, [403], false],
  ["send that Graph could not answer", SEND, [503], true],
  ["create that was throttled three times", CREATE, [429, 429, 429], false],
  ["create that Graph could not answer and then refused", CREATE, [500, 423], true],
  ["create that Graph could not answer and then throttled", CREATE, [504, 429, 429], true],
] as const) {
  test(`ER-03: a ${title} is ${isUncertain ? "" : "not "}uncertain`, async () => {
    const result = await callGraph(request, new Wire(answers.map((status) => answer(status))).deps);
    assert.ok(!result.ok && result.error.isUncertain === isUncertain);
  });
}

test("ER-03: what the gateway answers with 408 may have been done, with 401 it was not", async () => {
  for (const [status, isUncertain] of [
    [408, true],
    [401, false],
  ] as const) {
    const result = await callGraph(SEND, new Wire([answer(status, {}, { error: [{ code: 2014 }] })]).deps);
    assert.ok(!result.ok && result.error.isUncertain === isUncertain);
  }
});

test("ER-03: a create that was sent, and then found no place to be sent again, says what came of the first time", async () => {
  const traffic = new Traffic();
  const wire = new Wire([answer(503)], traffic);
  const never: GraphDeps = { ...wire.deps, send: () => new Promise(() => undefined) };
  const wait = async (milliseconds: number) => {
    await wire.deps.wait(milliseconds);
    // While it waits, others take every place.
    for (let count = 0; count < 4; count += 1) void callGraph(READ, never);
  };
  const result = await callGraph(CREATE, { ...wire.deps, wait });
  assert.equal(wire.sent.length, 1);
  assert.ok(!result.ok && result.error.status === 503 && result.error.isUncertain);
});

test("RL-05: whoever waits longer than his deadline gets graph_timeout and takes no place", async () => {
  const traffic = new Traffic();
  const wire = new Wire([GOOD], traffic);
  const hold: (() => void)[] = [];
  const slow: GraphDeps = {
    ...wire.deps,
    send: () => new Promise((resolve) => hold.push(() => resolve(ok({ response: Response.json({}), logId: null })))),
  };
  const busy = Array.from({ length: 4 }, () => callGraph(READ, slow));
  await new Promise((resolve) => setImmediate(resolve));
  for (const request of [READ, SEND]) {
    const late = await callGraph(request, wire.deps);
    assert.ok(!late.ok && late.error.type === "graph_timeout" && !late.error.isUncertain);
  }
  for (const release of hold) release();
  await Promise.all(busy);
  assert.equal((await callGraph(READ, wire.deps)).ok, true);
  assert.equal(wire.sent.length, 1);
});
