// The shipped bundle in workerd, with every tool, in both egress modes: above the egress floor nothing differs (GW-09).
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { OPERATIONS_GENERAL_ID, OPERATIONS_TEAM_ID } from "../../fixtures/graph/data/teams.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { type Reply, registerClient, rpc, type Session, signInWith } from "../support/oauth-client.ts";

type Json = Readonly<Record<string, unknown>>;

interface Result {
  readonly content: { readonly text: string }[];
  readonly structuredContent: Json & { readonly error?: Json };
  readonly isError?: true;
}

const MAIL = { to: "boris.lindqvist@contoso.example", subject: "Docks", body: "Dock 4 is free." };
const RANGE = { start: "2026-12-01T09:00", end: "2026-12-01T09:30", timeZone: "Europe/Zagreb" };

// Each mode has a stack of its own, and both wait for real deadlines: they may do so at the same time.
describe("egress", { concurrency: 2 }, () => {
  for (const mode of ["ai-run", "custom-provider"] as const) {
    describe(`egress ${mode}`, { concurrency: 1 }, () => {
      let stack: Stack;
      let session: Session;
      before(async () => {
        stack = await startStack({ egressMode: mode, bindings: { LOG_LEVEL: "DEBUG" } });
        session = await signInWith(stack, await registerClient(stack));
      });
      after(() => stack.dispose());
      afterEach(() => {
        stack.graph.reset();
        stack.gateway.fault = undefined;
        stack.gateway.log.length = 0;
        stack.gateway.calls.length = 0;
        stack.logs.length = 0;
      });

      async function call(name: string, args: object = {}): Promise<Result> {
        const reply = await rpc(stack, "tools/call", { name, arguments: args }, { token: session.accessToken });
        assert.equal(reply.status, 200, reply.text);
        return reply.body.result as Result;
      }
      async function good(name: string, args: object = {}): Promise<Json> {
        const result = await call(name, args);
        assert.equal(result.isError, undefined, result.content[0]?.text);
        return result.structuredContent;
      }
      async function bad(name: string, args: object = {}): Promise<Json> {
        const result = await call(name, args);
        assert.equal(result.isError, true, JSON.stringify(result.structuredContent).slice(0, 300));
        return result.structuredContent.error ?? {};
      }
      const read = (uri: string): Promise<Reply> =>
        rpc(stack, "resources/read", { uri }, { token: session.accessToken });
      async function lines(message: RegExp): Promise<Json[]> {
        await stack.settleLogs();
        return stack.logs
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as Json)
          .filter((line) => message.test(String(line.message)));
      }
      const graphCalls = () => stack.graph.requests.length;

      test("ST-05: two equal calls reach Graph twice", async () => {
        for (let count = 0; count < 2; count += 1) await good("getEmails", { count: 3 });
        const [first, second, ...others] = stack.graph.requests.map(({ path, query }) => ({ path, query }));
        assert.ok(first);
        assert.deepEqual([second, others], [first, []]);
      });

      test("GW-09: every tool of the catalogue works", async () => {
        const { emails } = (await good("getEmails", { count: 50 })) as {
          emails: { id: string; hasAttachments: boolean }[];
        };
        await good("searchEmails", { query: "budget", count: 2 });
        await good("sendEmail", { ...MAIL, attachments: [{ name: "a.txt", contentBytes: "aGVsbG8=" }] });
        const { events } = (await good("getCalendarEvents", { days: 14, timeZone: "Europe/Zagreb" })) as {
          events: { id: string; organizer: { emailAddress: { address: string } } }[];
        };
        const made = await good("createCalendarEvent", { subject: "Docks", ...RANGE, isOnlineMeeting: true });
        await good("sendTeamsMessage", {
          teamId: OPERATIONS_TEAM_ID,
          channelId: OPERATIONS_GENERAL_ID,
          message: "Hi\nall",
        });
        const met = await good("createTeamsMeeting", {
          subject: "Review",
          ...RANGE,
          attendees: ["c@contoso.example"],
          options: { lobbyBypass: "organizer" },
        });
        assert.equal(met.optionsApplied, true);
        await good("createTeamsMeeting", { subject: "Alone", start: RANGE.start, durationMinutes: 30 });
        await good("getContacts", { search: "Liam" });
        await good("authenticate");
        const { channels } = (await good("listChannels", { teamId: OPERATIONS_TEAM_ID })) as { channels: unknown[] };
        assert.ok(channels.length > 2);
        await good("getEmail", { id: emails.find(({ hasAttachments }) => hasAttachments)?.id });
        await good("checkAvailability", { schedules: [ADA.email], ...RANGE });
        await good("replyToEmail", { id: emails[0]?.id, body: "Thanks" });
        await good("updateCalendarEvent", { id: made.id, body: "New text" });
        const invitation = events.find(
          ({ organizer }) => organizer.emailAddress.address === "freya.sorensen@contoso.example",
        );
        await good("respondToEvent", { id: invitation?.id, response: "accept" });
        assert.deepEqual(stack.trespasses, []);
        assert.ok(stack.gateway.calls.every((one) => one.mode === mode));
        assert.ok(stack.gateway.log.every(({ payloadCollected, skipCache }) => !payloadCollected && skipCache));
      });

      test("RS-01 to RS-05: resources are read, and an unknown one is said to be", async () => {
        for (const name of ["profile", "calendars", "teams"]) {
          const reply = await read(`microsoft://${name}`);
          const { contents } = reply.body.result as { contents: { text: string }[] };
          assert.equal(typeof JSON.parse(contents[0]?.text ?? ""), "object", name);
        }
        const unknown = await read("microsoft://mail");
        assert.equal((unknown.body.error as Json).code, -32002);
        stack.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "MailboxNotEnabledForRESTAPI" });
        const { error } = (await read("microsoft://calendars")).body as { error: { code: number; data: Json } };
        assert.deepEqual([error.code, error.data.type, error.data.status], [-32603, "mailbox_unavailable", 404]);
        const told = stack.gateway.log.map(({ metadata }) => metadata.mcpTool);
        assert.ok(told.includes("resource:profile") && told.includes("resource:calendars"));
      });

      test("TL-05: workerd knows the zones by both kinds of names", async () => {
        const bounds: unknown[] = [];
        for (const timeZone of ["Europe/Warsaw", "Central European Standard Time", "Omsk Standard Time", "UTC+12"]) {
          await call("getCalendarEvents", { start: "2026-07-01", end: "2026-07-02", timeZone });
          bounds.push(stack.graph.requests.at(-1)?.query.startDateTime);
        }
        const [warsaw, polish, omsk, fixed] = bounds;
        assert.deepEqual([warsaw, polish], ["2026-06-30T22:00:00Z", "2026-06-30T22:00:00Z"]);
        assert.deepEqual([omsk, fixed], ["2026-06-30T18:00:00Z", "2026-06-30T12:00:00Z"]);
        assert.equal((await bad("getCalendarEvents", { timeZone: "Mars Standard Time" })).field, "timeZone");
      });

      test("RL-04: a read that nobody answers ends after 15 s as graph_timeout", async () => {
        stack.gateway.fault = { kind: "hang" };
        const started = Date.now();
        const error = await bad("getEmails", { count: 1 });
        assert.deepEqual([error.type, error.retryable], ["graph_timeout", true]);
        const seconds = (Date.now() - started) / 1000;
        assert.ok(seconds > 14 && seconds < 20, `${seconds} s`);
        assert.ok((await lines(/^Graph API error$/)).some(({ context }) => /timeout exceeded/.test(String(context))));
      });

      test("EP-17: a modern client may keep what it read for no time and for nobody else; a legacy one hears nothing of it", async () => {
        const uri = "microsoft://profile";
        const _meta = {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        };
        const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "resources/read", "mcp-name": uri };
        const modern = await rpc(stack, "resources/read", { uri, _meta }, { token: session.accessToken, headers });
        const { ttlMs, cacheScope, resultType } = modern.body.result as Json;
        assert.deepEqual([ttlMs, cacheScope, resultType], [0, "private", "complete"]);
        const legacy = (await read(uri)).body.result as Json;
        assert.deepEqual(Object.keys(legacy), ["contents"]);
      });

      test("EN-04 RL-05: twelve parallel calls on an expired Microsoft token make one refresh and never five requests at once", async () => {
        stack.entra.expireAccessTokens();
        stack.graph.concurrencyLimit = 4;
        stack.graph.fault({ method: "GET" }, { kind: "slow", delayMs: 30 });
        const before = stack.entra.requests.length;
        await Promise.all(Array.from({ length: 12 }, () => good("getEmails", { count: 1 })));
        const refreshes = stack.entra.requests.slice(before).length;
        assert.equal(refreshes, 1);
        assert.ok(stack.graph.maxInFlight <= 4, `${stack.graph.maxInFlight} at once`);
      });

      test("GW-04: parallel calls log their own gateway ids", async () => {
        stack.graph.fault({ method: "GET", path: /top=1&/ }, { kind: "slow-body", delayMs: 60 });
        await Promise.all([1, 2, 3, 4].map((count) => good("getEmails", { count })));
        const audit = await lines(/^tool: /);
        assert.equal(audit.length, 4);
        for (const line of audit) {
          const entry = stack.gateway.log.find(({ logId }) => logId === (line.metadata as Json).aiGatewayLogId);
          assert.equal(entry?.metadata.requestId, line.requestId);
        }
      });

      test("LG-02 GW-12: one request id in answer, log, gateway metadata and client-request-id; Microsoft's own is logged", async () => {
        const reply = await rpc(
          stack,
          "tools/call",
          { name: "getEmails", arguments: {} },
          { token: session.accessToken },
        );
        const requestId = reply.headers.get("x-request-id");
        const [line] = await lines(/^tool: /);
        assert.equal(line?.requestId, requestId);
        assert.equal(stack.gateway.log[0]?.metadata.requestId, requestId);
        assert.equal(stack.graph.requests[0]?.headers["client-request-id"], requestId);
        const { graphRequestIds } = (line?.metadata ?? {}) as { graphRequestIds?: unknown[] };
        assert.equal(graphRequestIds?.length, 1);
      });

      test("GW-06: the gateway's log entry is told the outcome, and the answer does not wait for it", async () => {
        await good("getEmails", { count: 1 });
        const [entry] = stack.gateway.log;
        for (let wait = 0; wait < 100 && entry?.patch === undefined; wait += 1)
          await new Promise((resolve) => setTimeout(resolve, 20));
        const { metadata } = (entry?.patch ?? {}) as { metadata?: Json };
        assert.deepEqual([metadata?.outcome, typeof metadata?.durationMs], ["ok", "number"]);
      });

      test("RL-02: a read is asked again after 429 and 503, a send never after 5xx", async () => {
        stack.graph.fault({ method: "GET", times: 1 }, { kind: "throttled", retryAfter: 1 });
        await good("getEmails", { count: 1 });
        assert.equal(graphCalls(), 2);
        for (const kind of ["internal-error", "timeout-after-execution", "unavailable"] as const) {
          stack.graph.reset();
          stack.graph.fault({ method: "POST" }, { kind });
          const error = await bad("sendEmail", MAIL);
          assert.deepEqual([graphCalls(), error.retryable], [1, false], kind);
        }
        stack.graph.reset();
        stack.graph.fault({ method: "POST", times: 1 }, { kind: "throttled", retryAfter: 1 });
        await good("sendEmail", MAIL);
        assert.deepEqual([graphCalls(), stack.graph.sentMail(ADA).length], [2, 1]);
      });

      test("RL-02: Retry-After beyond the budget comes back at once", async () => {
        stack.graph.fault({ method: "GET" }, { kind: "throttled", retryAfter: 120 });
        const started = Date.now();
        const error = await bad("getEmails");
        assert.deepEqual([error.type, error.retryAfterSeconds, graphCalls()], ["graph_throttled", 120, 1]);
        assert.ok(Date.now() - started < 5000);
      });

      test("GW-10: a next link that leads elsewhere is not followed, with a warning, and nothing goes there", async () => {
        stack.graph.fault({ method: "GET" }, { kind: "foreign-next-link" });
        assert.equal((await good("getEmails", { count: 2 })).nextPageToken, undefined);
        assert.equal((await good("getCalendarEvents", { days: 2 })).nextPageToken, undefined);
        assert.ok((await lines(/^Graph API error$/)).some(({ code }) => code === "next_link_foreign"));
        assert.deepEqual(stack.trespasses, []);
      });

      const GATEWAY: readonly (readonly [fault: NonNullable<Stack["gateway"]["fault"]>, type: string])[] = [
        [{ kind: "dlp-request" }, "gateway_policy"],
        [{ kind: "dlp-response" }, "gateway_policy"],
        [{ kind: "guardrail-prompt" }, "gateway_policy"],
        [{ kind: "guardrail-response" }, "gateway_policy"],
        [{ kind: "unauthorized" }, "gateway_unavailable"],
      ];
      for (const [fault, type] of GATEWAY) {
        test(`GW-05: ${fault.kind} is ${type}, and the person stays signed in`, async () => {
          stack.gateway.fault = fault;
          const before = stack.entra.requests.length;
          assert.equal((await bad("sendEmail", MAIL)).type, type);
          assert.equal(stack.entra.requests.length, before);
          stack.gateway.fault = undefined;
          await good("getEmails", { count: 1 });
        });
      }

      test("GW-05: the gateway's own limit is told from Graph's, and a flag is no refusal", async () => {
        stack.gateway.fault = { kind: "rate-limited" };
        assert.equal((await bad("sendEmail", MAIL)).type, "gateway_rate_limited");
        stack.gateway.fault = { kind: "dlp-flag" };
        await good("getEmails", { count: 1 });
        stack.gateway.fault = { kind: "no-log-id" };
        await good("getEmails", { count: 1 });
      });

      for (const kind of ["html-body", "truncated-body", "empty-body", "oversized"] as const) {
        test(`ER-04: a read answered with ${kind} is a failure result and no crash`, async () => {
          stack.graph.fault({ method: "GET" }, { kind });
          assert.equal((await bad("getEmails")).type, kind === "oversized" ? "response_too_large" : "response_invalid");
        });
      }

      test("TL-15: fifty huge mails stay under 100 KB", async () => {
        stack.graph.fault({ method: "GET" }, { kind: "huge-html", bytes: 60_000 });
        const reply = await rpc(
          stack,
          "tools/call",
          { name: "getEmails", arguments: { count: 50, maxBodyChars: 20_000 } },
          { token: session.accessToken },
        );
        assert.ok(Buffer.byteLength(reply.text) < 102_400, `${Buffer.byteLength(reply.text)} bytes`);
      });

      test("LG-07 DO-06: nothing of what was read or written, and no token, is in the log", async () => {
        await good("getEmails", { count: 5 });
        await good("sendEmail", { ...MAIL, subject: "A very secret subject" });
        await good("searchEmails", { query: "budget" });
        stack.graph.fault({ method: "GET" }, { kind: "hostile-text" });
        await good("getEmails", { count: 2 });
        await stack.settleLogs();
        const log = stack.logs.join("\n");
        for (const word of [
          "very secret",
          "boris.lindqvist",
          "budget",
          "Dock 4",
          "Ignore all previous",
          session.accessToken,
        ]) {
          assert.ok(!log.includes(word), word);
        }
      });

      test("DO-04: authenticate counts the calls of the grant", async () => {
        const first = Number((await good("authenticate")).calls);
        await good("getEmails", { count: 1 });
        assert.equal((await good("authenticate")).calls, first + 2);
      });

      test("RL-03: after five unavailable answers a grant fails fast", async () => {
        const other = await signInWith(stack, await registerClient(stack));
        stack.graph.fault({ method: "POST" }, { kind: "unavailable" });
        const send = () =>
          rpc(stack, "tools/call", { name: "sendEmail", arguments: MAIL }, { token: other.accessToken });
        for (let attempt = 0; attempt < 5; attempt += 1) await send();
        assert.equal(graphCalls(), 5);
        const sixth = (await send()).body.result as Result;
        assert.equal(sixth.structuredContent.error?.type, "graph_unavailable");
        assert.equal(graphCalls(), 5);
        // Another grant is not held up by it.
        await good("getEmails", { count: 1 });
      });
    });
  }
});
