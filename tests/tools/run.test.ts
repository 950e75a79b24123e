// What the object does around a tool: tokens, audit, log ids, metadata.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { JsonObject } from "../../fixtures/graph/types.ts";
import { Lab } from "./lab.ts";

const lab = await Lab.start();
after(() => lab.close());
beforeEach(() => lab.reset());

const audit = (from = lab) =>
  from.events.filter(({ message }) => message.startsWith("tool: ")) as unknown as JsonObject[];

test("GW-03: the gateway is told four texts, and no address where none is known", async () => {
  await lab.good("getEmails");
  const metadata = lab.calls[0]?.options.gateway.metadata as JsonObject;
  assert.deepEqual(Object.keys(metadata).sort(), ["mcpTool", "requestId", "userEmail", "userId"]);
  assert.ok(Object.values(metadata).every((value) => typeof value === "string"));
  const nameless = await Lab.start({ email: "" });
  await nameless.good("getEmails");
  assert.deepEqual(Object.keys(nameless.calls[0]?.options.gateway.metadata as object).sort(), [
    "mcpTool",
    "requestId",
    "userId",
  ]);
  await nameless.close();
});

test("GW-02: without the binding tools fail as egress_unconfigured, not retryable", async () => {
  const bare = await Lab.start({ withoutAi: true });
  const error = await bare.bad("getEmails");
  assert.deepEqual([error.type, error.retryable, bare.asked.length], ["egress_unconfigured", false, 0]);
  await bare.close();
});

test("LG-03 GW-04 GW-12: one audit line per call, with who, how long, and where to find it", async () => {
  await lab.good("getEmails", { count: 1 });
  const [line, ...more] = audit();
  assert.equal(more.length, 0);
  const { metadata, durationMs, ...rest } = line ?? {};
  assert.deepEqual(rest, {
    level: "INFO",
    message: "tool: getEmails",
    tool: "getEmails",
    userId: "3f2b8c1e-6a57-4a2f-9c0d-1b7e5d4f8a01",
    status: 200,
    code: undefined,
    context: undefined,
  });
  assert.equal(typeof durationMs, "number");
  const { aiGatewayLogId, graphRequestIds, ...facts } = metadata as JsonObject;
  assert.match(String(aiGatewayLogId), /^log-\d+$/);
  assert.equal((graphRequestIds as string[]).length, 1);
  assert.deepEqual(facts, { binding: "MCP_OBJECT", clientId: "client-1", accessIdentity: null });
});

test("LG-03 LG-04: a failed Graph call is a warning with status, duration, attempt and the words that are searched for", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "ErrorItemNotFound" });
  await lab.bad("getEmails");
  const line = lab.events.find(({ message }) => message === "Graph API error") as unknown as JsonObject;
  assert.deepEqual(
    [line.level, line.code, line.status, line.context, line.userId],
    ["WARN", "graph_not_found", 404, "Microsoft Graph error", "3f2b8c1e-6a57-4a2f-9c0d-1b7e5d4f8a01"],
  );
  assert.equal(typeof line.durationMs, "number");
  assert.deepEqual([audit()[0]?.level, audit()[0]?.code], ["WARN", "graph_not_found"]);
});

test("LG-03: a call that was not made because of its arguments says so", async () => {
  await lab.bad("getEmails", { count: 0 });
  assert.deepEqual([audit()[0]?.level, audit()[0]?.code], ["WARN", "validation_error"]);
});

const PRIVATE = { to: "boris@contoso.example", subject: "Between us two", body: "Nobody else reads this." };

/** Why a call never got as far as its tool; how the grant came to that. */
const REFUSED: readonly (readonly [code: string, context: string | undefined, start: () => Promise<Lab>])[] = [
  ["insufficient_scope", undefined, () => Lab.start({ scopes: ["Mail.Read"] })],
  [
    "rate_limited",
    "quota exceeded",
    async () => {
      const busy = await Lab.start();
      for (let call = 0; call < 300; call += 1) await busy.outcome({ name: "authenticate" });
      busy.reset();
      return busy;
    },
  ],
];

for (const [code, context, start] of REFUSED) {
  test(`LG-03 LG-05: a call that is refused as ${code} is one line and one point, with nothing of its arguments`, async () => {
    const refused = await start();
    assert.equal((await refused.outcome({ name: "sendEmail", arguments: PRIVATE })).kind, code);
    const { durationMs, ...line } = audit(refused)[0] ?? {};
    if (code === "rate_limited") {
      // Nobody fills the log by going on.
      for (let call = 0; call < 5; call += 1) await refused.outcome({ name: "sendEmail", arguments: PRIVATE });
      assert.equal(audit(refused).length, 1);
    }
    assert.deepEqual(line, {
      level: "WARN",
      message: "tool: sendEmail",
      tool: "sendEmail",
      userId: "3f2b8c1e-6a57-4a2f-9c0d-1b7e5d4f8a01",
      status: undefined,
      code,
      context,
      metadata: {
        binding: "MCP_OBJECT",
        clientId: "client-1",
        accessIdentity: null,
        aiGatewayLogId: null,
        graphRequestIds: [],
      },
    });
    const point = { indexes: ["sendEmail"], blobs: ["sendEmail", "unknown", code], doubles: [durationMs, 1] };
    assert.deepEqual([refused.events.length, refused.points], [1, [point]]);
    await refused.close();
  });
}

test("LG-04: each Graph call is a line at DEBUG with its duration", async () => {
  await lab.good("getEmails");
  const line = lab.events.find(({ message }) => message === "Graph call");
  assert.deepEqual([line?.level, typeof line?.durationMs], ["DEBUG", "number"]);
});

test("GW-06: the gateway's log entry is told outcome and duration, for success and failure", async () => {
  await lab.good("getEmails");
  lab.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "ErrorItemNotFound" });
  await lab.bad("getEmails");
  const outcomes = lab.patches.map(({ data }) => ((data as JsonObject).metadata as JsonObject).outcome);
  assert.deepEqual(outcomes, ["ok", "graph_not_found"]);
});

test("EN-04: a Graph 401 refreshes once and repeats the call, a send included", async () => {
  lab.token = "expired-token";
  await lab.good("sendEmail", { to: "b@contoso.example", subject: "x", body: "y" });
  assert.deepEqual([lab.refreshes, lab.asked.length], [1, 2]);
});

test("EN-04: a second 401 is graph_unauthorized and no further refresh", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "token-expired" });
  const error = await lab.bad("getEmails");
  assert.deepEqual([error.type, lab.refreshes, lab.asked.length], ["graph_unauthorized", 1, 2]);
});

test("GW-05: a 401 of the gateway says nothing about the Microsoft token", async () => {
  lab.answers.push(() =>
    Response.json({ error: [{ code: 2009 }], name: "AiGatewayError", internalCode: 2009 }, { status: 401 }),
  );
  const error = await lab.bad("getEmails");
  assert.deepEqual([error.type, error.code, lab.refreshes], ["gateway_unavailable", "2009", 0]);
});

test("EN-06: when Microsoft's sign-in is unavailable the failure says when to come again", async () => {
  lab.token = "";
  const error = await lab.bad("getEmails");
  assert.deepEqual([error.type, error.retryable, error.retryAfterSeconds], ["signin_unavailable", true, 7]);
});

test("EN-06: a claims challenge ends the session", async () => {
  const fresh = await Lab.start();
  fresh.graph.fault({ method: "GET" }, { kind: "insufficient-claims" });
  assert.equal((await fresh.outcome({ name: "getEmails" })).kind, "unauthorized");
  assert.equal((await fresh.outcome({ name: "getEmails" })).kind, "unauthorized");
  assert.equal(fresh.asked.length, 1);
  await fresh.close();
});

test("GW-05: a send whose answer was blocked has happened, perhaps; one that was blocked before has not", async () => {
  const mail = { to: "b@contoso.example", subject: "x", body: "y" };
  lab.answers.push(() => Response.json({ error: [{ code: 2030 }] }, { status: 424 }));
  assert.match((await lab.bad("sendEmail", mail)).text, /check before repeating/);
  lab.answers.push(() => Response.json({ error: [{ code: 2029 }] }, { status: 424 }));
  assert.match((await lab.bad("sendEmail", mail)).text, /Remove sensitive content/);
});

const MAIL = { to: "b@contoso.example", subject: "x", body: "y" };

test("ER-03: a send that the gateway itself refused was not forwarded, so it may be repeated", async () => {
  for (const [status, code] of [
    [401, 2009],
    [404, 5007],
  ] as const) {
    lab.answers.push(() => Response.json({ errors: [{ code }] }, { status }));
    const error = await lab.bad("sendEmail", MAIL);
    assert.deepEqual([error.type, error.retryable], ["gateway_unavailable", true]);
    assert.doesNotMatch(error.text, /may have been done/);
  }
  lab.answers.push(() => Response.json({ errors: [{ code: 2005 }] }, { status: 500 }));
  assert.match((await lab.bad("sendEmail", MAIL)).text, /may have been done/);
});

test("ER-03: a change whose reading before it failed has changed nothing", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "internal-error" });
  const error = await lab.bad("updateCalendarEvent", { id: "x", body: "y" });
  assert.deepEqual([lab.asked.map((line) => line.split(" ")[0]), error.retryable], [["GET"], true]);
  assert.doesNotMatch(error.text, /may have been done/);
});

test("ER-03: an answer that could not be read will not be better in a minute", async () => {
  lab.answers.push(() => new Response("<html>"));
  const error = await lab.bad("getEmails");
  assert.deepEqual([error.type, error.retryable], ["response_invalid", false]);
  assert.doesNotMatch(error.text, /Try again/);
});

test("ER-02: what is forbidden may be so for the whole tenant, and that is said", async () => {
  lab.graph.fault({ method: "GET" }, { kind: "missing-scope" });
  assert.match((await lab.bad("getEmails")).text, /Your tenant may require it\.$/);
});

test("ER-06: Graph's own words are clipped at 300 characters", async () => {
  const message = `${"m".repeat(299)}n${"o".repeat(100)}`;
  lab.answers.push(() => Response.json({ error: { code: "ErrorInvalidRecipients", message } }, { status: 400 }));
  const { text } = await lab.bad("getEmails");
  assert.ok(text.includes(`Microsoft says: "${"m".repeat(299)}n".`), text);
});

test("ER-03: each status has its own words", async () => {
  const texts = new Set<string>();
  for (const status of [404, 409, 413, 429, 500, 502, 503, 504]) {
    lab.answers.push(() => Response.json({ error: { code: "Some" } }, { status, headers: { "retry-after": "60" } }));
    const error = await lab.bad("getEmails");
    texts.add(error.text.split(". Context:")[0] ?? "");
    const isRetryable = status === 429 || status >= 500;
    assert.deepEqual([error.retryable, error.retryAfterSeconds], [isRetryable, 60], String(status));
  }
  assert.equal(texts.size, 8);
});

test("ER-06: the text of a failure, word for word", async () => {
  lab.answers.push(() =>
    Response.json({ error: { code: "ErrorInvalidRecipients", message: 'Bad "one"\n of\u202Ethem' } }, { status: 400 }),
  );
  const outcome = await lab.call("getEmails", {}, "22222222-0000-4000-8000-000000000001");
  assert.equal(
    outcome.text,
    'getEmails failed: Microsoft 365 refused the request. Microsoft says: "Bad one of them". Context: getEmails, status 400, code ErrorInvalidRecipients, request id 22222222-0000-4000-8000-000000000001. Troubleshooting: Check the arguments, then call again.',
  );
});

test("RS-03: a resource that is too large keeps its shape and says how much was left out", async () => {
  const value = Array.from({ length: 300 }, (_, number) => ({ id: `t${number}`, description: "d".repeat(300) }));
  lab.answers.push(() => Response.json({ value }));
  const outcome = await lab.outcome({ kind: "resource", name: "teams" });
  assert.ok(outcome.kind === "done");
  const { contents } = outcome.result as { contents: { text: string }[] };
  const shown = JSON.parse(contents[0]?.text ?? "");
  assert.deepEqual([shown.truncated, shown.teams.length + shown.omitted], [true, 300]);
  assert.ok(shown.teams.length > 0 && Buffer.byteLength(JSON.stringify(outcome.result)) <= 100_000);
});

test("RL-01: the call over the quota of a minute is refused and asks nothing", async () => {
  const busy = await Lab.start();
  for (let call = 0; call < 300; call += 1) await busy.outcome({ name: "authenticate" });
  assert.equal((await busy.outcome({ name: "getEmails" })).kind, "rate_limited");
  assert.equal(busy.asked.length, 0);
  await busy.close();
});
