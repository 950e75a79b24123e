import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  type AiBinding,
  type GatewayMetadata,
  type GatewayRequest,
  patchGatewayLog,
  sendThroughGateway,
} from "../../src/egress/gateway.ts";
import { testConfig } from "../environment.ts";

const READ: GatewayRequest = {
  method: "GET",
  path: "/v1.0/me",
  headers: { Authorization: "Bearer t" },
  body: undefined,
};
const WRITE: GatewayRequest = { ...READ, method: "POST", path: "/v1.0/me/sendMail", body: { message: {} } };
const METADATA: GatewayMetadata = { userId: "u", userEmail: "e@contoso.example", mcpTool: "getEmails", requestId: "r" };

interface FakeAi extends AiBinding {
  readonly runs: { model: string; inputs: object; options: { signal?: AbortSignal } }[];
  readonly patches: unknown[][];
  aiGatewayLogId: string | null;
}

function fakeAi(answer: () => unknown): FakeAi {
  const ai: FakeAi = {
    runs: [],
    patches: [],
    aiGatewayLogId: "shared",
    run: async (model, inputs, options) => {
      ai.runs.push({ model, inputs, options });
      return answer();
    },
    gateway: (id) => ({
      getUrl: async (provider) => `https://gateway.ai.cloudflare.com/v1/account/${id}/${provider}/`,
      patchLog: async (...args) => void ai.patches.push([id, ...args]),
    }),
  };
  return ai;
}

const send = (ai: AiBinding | undefined, request: GatewayRequest, env: Record<string, string> = {}) =>
  sendThroughGateway({ ai, config: testConfig(env) }, request, METADATA, 15_000);

test("GW-02: without the binding nothing is sent, and there is no other way", async () => {
  assert.deepEqual(await send(undefined, READ), { ok: false, error: "egress_unconfigured" });
});

test("GW-01: a path that does not begin with the version is our own fault", async () => {
  const ai = fakeAi(() => Response.json({}));
  await assert.rejects(send(ai, { ...READ, path: "/beta/me" }), /without its version/);
  await assert.rejects(send(ai, { ...READ, path: "https://attacker.example/v1.0/" }), /without its version/);
  assert.equal(ai.runs.length, 0);
});

test("GW-01: env.AI.run gets exactly these arguments", async () => {
  const ai = fakeAi(() => Response.json({}));
  await send(ai, READ);
  await send(ai, WRITE);
  const [read, write] = ai.runs;
  assert.equal(read?.model, "dynamic/microsoft-graph-handler");
  assert.deepEqual(read?.inputs, {
    method: "GET",
    path: "/v1.0/me",
    headers: { Authorization: "Bearer t" },
    body: undefined,
  });
  assert.deepEqual(write?.inputs, {
    method: "POST",
    path: "/v1.0/me/sendMail",
    headers: { Authorization: "Bearer t" },
    body: { message: {} },
  });
  const { signal, ...options } = read?.options ?? {};
  assert.ok(signal instanceof AbortSignal);
  assert.deepEqual(options, {
    gateway: { id: "m365-egress-gateway", metadata: METADATA, skipCache: true },
    returnRawResponse: true,
    extraHeaders: { "cf-aig-collect-log-payload": "false" },
  });
});

test("GW-07: the service token is one more header, in its own place", async () => {
  const ai = fakeAi(() => Response.json({}));
  await send(ai, READ, { AI_GATEWAY_SERVICE_TOKEN: "service-token-1" });
  const { extraHeaders } = (ai.runs[0]?.options ?? {}) as { extraHeaders?: object };
  assert.deepEqual(extraHeaders, {
    "cf-aig-collect-log-payload": "false",
    "cf-aig-authorization": "Bearer service-token-1",
  });
});

const DOUBLES: readonly (readonly [what: string, value: () => unknown])[] = [
  ["a Response", () => Response.json({ id: "1" })],
  ["an object", () => ({ id: "1" })],
  ["a text", () => '{"id":"1"}'],
  ["a stream", () => new Response('{"id":"1"}').body],
];

for (const [what, value] of DOUBLES) {
  test(`GW-01: a mock that returns ${what} is understood`, async () => {
    const sent = await send(fakeAi(value), READ);
    assert.ok(sent.ok);
    assert.deepEqual([sent.value.response.status, await sent.value.response.json()], [200, { id: "1" }]);
  });
}

test("GW-04: the log id is the header's, else the property of the same tick, else null", async () => {
  const marked = fakeAi(() => new Response("{}", { headers: { "cf-aig-log-id": "own" } }));
  const first = await send(marked, READ);
  assert.ok(first.ok && first.value.logId === "own");
  const second = await send(
    fakeAi(() => Response.json({})),
    READ,
  );
  assert.ok(second.ok && second.value.logId === "shared");
  const silent = fakeAi(() => Response.json({}));
  silent.aiGatewayLogId = null;
  const third = await send(silent, READ);
  assert.ok(third.ok && third.value.logId === null);
});

test("GW-04: calls that overlap keep their own ids although the property is shared", async () => {
  let calls = 0;
  const ai = fakeAi(async () => {
    calls += 1;
    const id = `own-${calls}`;
    // The slower call finds the id of the faster one in the property.
    await new Promise((resolve) => setTimeout(resolve, calls === 1 ? 20 : 1));
    ai.aiGatewayLogId = `property-${id}`;
    return new Response("{}", { headers: { "cf-aig-log-id": id } });
  });
  const [slow, fast] = await Promise.all([send(ai, READ), send(ai, READ)]);
  assert.ok(slow.ok && fast.ok);
  assert.deepEqual([slow.value.logId, fast.value.logId], ["own-1", "own-2"]);
});

test("RL-04: the deadline is told from a broken connection", async () => {
  const late = fakeAi(() => Promise.reject(new DOMException("over", "TimeoutError")));
  assert.deepEqual(await send(late, READ), { ok: false, error: "graph_timeout" });
  const broken = fakeAi(() => Promise.reject(new Error("AiInternalError")));
  assert.deepEqual(await send(broken, READ), { ok: false, error: "gateway_unavailable" });
});

test("GW-06: a log entry is patched where there is an id, and a failure to do so is nobody's", async () => {
  const ai = fakeAi(() => undefined);
  await patchGatewayLog({ ai, config: testConfig() }, "log-1", { outcome: "ok", durationMs: 12 });
  await patchGatewayLog({ ai, config: testConfig() }, null, { outcome: "ok", durationMs: 12 });
  await patchGatewayLog({ ai: undefined, config: testConfig() }, "log-1", { outcome: "ok", durationMs: 12 });
  assert.deepEqual(ai.patches, [["m365-egress-gateway", "log-1", { metadata: { outcome: "ok", durationMs: 12 } }]]);
  const broken: AiBinding = {
    ...ai,
    gateway: () => ({ getUrl: async () => "", patchLog: () => Promise.reject(new Error("x")) }),
  };
  await patchGatewayLog({ ai: broken, config: testConfig() }, "log-1", { outcome: "ok", durationMs: 12 });
});

const realFetch = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = realFetch;
});

test("GW-09: custom-provider sends the real method to the gateway's URL, with these headers", async () => {
  const sent: { url: string; init: RequestInit }[] = [];
  globalThis.fetch = async (url, init) => {
    sent.push({ url: String(url), init: init ?? {} });
    return new Response("{}", { headers: { "cf-aig-log-id": "own" } });
  };
  const ai = fakeAi(() => assert.fail("env.AI.run is the other mode"));
  const env = { GRAPH_EGRESS_MODE: "custom-provider", AI_GATEWAY_SERVICE_TOKEN: "service-token-1" };
  const read = await send(ai, READ, env);
  assert.ok(read.ok && read.value.logId === "own");
  await send(ai, WRITE, env);
  const [get, post] = sent;
  assert.equal(
    get?.url,
    "https://gateway.ai.cloudflare.com/v1/account/m365-egress-gateway/custom-microsoft-graph/v1.0/me",
  );
  assert.deepEqual([get?.init.method, get?.init.body, get?.init.redirect], ["GET", undefined, "manual"]);
  assert.deepEqual(get?.init.headers, {
    Authorization: "Bearer t",
    "cf-aig-metadata": JSON.stringify(METADATA),
    "cf-aig-skip-cache": "true",
    "cf-aig-collect-log-payload": "false",
    "cf-aig-max-attempts": "1",
    "cf-aig-authorization": "Bearer service-token-1",
  });
  assert.deepEqual([post?.init.method, post?.init.body], ["POST", '{"message":{}}']);
});

test("GW-09: an answer without the header has no log id: the property belongs to the other mode", async () => {
  globalThis.fetch = async () => new Response("{}");
  const read = await send(
    fakeAi(() => undefined),
    READ,
    { GRAPH_EGRESS_MODE: "custom-provider" },
  );
  assert.ok(read.ok && read.value.logId === null);
});
