// RL-01: every limiter of the example at its route, and the exact quota of a grant.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { pkcePair } from "../../fixtures/browser.ts";
import { bundleWorker } from "../../fixtures/bundle.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { readSettings } from "../../fixtures/workerd.ts";
import { EventStream } from "../support/mcp.ts";
import { assertToolResult } from "../support/oauth-assert.ts";
import {
  authorizeUrl,
  configureClient,
  getEmails,
  type Reply,
  readReply,
  refresh,
  registerClient,
  rpc,
  type Session,
  signInWith,
  type TestClient,
} from "../support/oauth-client.ts";
import { type Lab, startLab } from "../support/oauth-lab.ts";

type Send = (headers: Record<string, string>) => Promise<Response>;

const FORM = { "content-type": "application/x-www-form-urlencoded" };

describe("RL-01: per address and minute,", () => {
  let stack: Stack;
  let client: TestClient;
  let session: Session;
  /** Each limiter lets two pass, which is what one sign-in takes. */
  const TWO = {
    LIMIT_REGISTER: 2,
    LIMIT_AUTHORIZE: 2,
    LIMIT_APPROVE: 2,
    LIMIT_TOKEN: 2,
    LIMIT_REVOKE: 2,
    LIMIT_CALLS: 2,
  } as const;

  before(async () => {
    stack = await startStack({ rateLimits: TWO });
    client = await registerClient(stack);
    session = await signInWith(stack, client);
  });
  after(() => stack.dispose());

  const get =
    (path: string): Send =>
    (headers) =>
      fetch(`${stack.url}${path}`, { headers, redirect: "manual" });
  const post =
    (path: string, body: string, more: Record<string, string> = {}): Send =>
    (headers) =>
      fetch(`${stack.url}${path}`, { method: "POST", body, headers: { ...more, ...headers }, redirect: "manual" });
  const call = (path: string, name = "authenticate"): Send => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } });
    return (headers) => post(path, body, { authorization: `Bearer ${session.accessToken}` })(headers);
  };

  /** What is limited together stands together: the second of them is over. */
  const ROWS: readonly (readonly [limiter: keyof typeof TWO, first: string, second: string, send: () => Send[]])[] = [
    ["LIMIT_REGISTER", "POST /register", "itself", () => [post("/register", "{}"), post("/register", "{}")]],
    [
      "LIMIT_AUTHORIZE",
      "GET /authorize",
      "itself",
      () => {
        const one = get(authorizeUrl({ url: "" }, client, pkcePair().challenge));
        return [one, one];
      },
    ],
    [
      "LIMIT_APPROVE",
      "POST /authorize",
      "GET /callback",
      () => [post("/authorize", "form=x", FORM), get("/callback?code=test&state=test")],
    ],
    ["LIMIT_TOKEN", "POST /token", "itself", () => [post("/token", "a=b", FORM), post("/token", "a=b", FORM)]],
    ["LIMIT_REVOKE", "POST /revoke", "itself", () => [post("/revoke", "a=b", FORM), post("/revoke", "a=b", FORM)]],
    ["LIMIT_CALLS", "a call on /mcp", "a call on /sse", () => [call("/mcp"), call("/sse")]],
    [
      "LIMIT_CALLS",
      "a resource on /sse",
      "a WebSocket on /mcp",
      () => {
        const params = { uri: "microsoft://profile" };
        const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "resources/read", params });
        const upgrade = { Upgrade: "websocket", Connection: "Upgrade", "sec-websocket-version": "13" };
        return [
          post("/sse", body, { authorization: `Bearer ${session.accessToken}` }),
          async (headers) =>
            (await stack.mf.dispatchFetch(`${stack.url}/mcp`, {
              headers: { ...upgrade, ...headers },
            })) as unknown as Response,
        ];
      },
    ],
  ];

  const status = async (answer: Promise<Response>): Promise<number> => {
    const { status, body } = await answer;
    await body?.cancel();
    return status;
  };

  for (const [row, [limiter, first, second, send]] of ROWS.entries()) {
    test(`${first} and ${second} count together; a /64 is one address, another /64 is not`, async () => {
      const [one, two] = send();
      assert.ok(one && two);
      const third = async (network: string) => {
        assert.notEqual(await status(one({ "cf-connecting-ip": `${network}::1` })), 429);
        assert.notEqual(await status(two({ "cf-connecting-ip": `${network}::2` })), 429);
        return two({ "cf-connecting-ip": `${network}:ffff:ffff:ffff:ffff` });
      };
      // A minute of the limiter may end on the way, but not twice.
      let refused = await third(`2001:db8:${row + 1}:7`);
      if (refused.status !== 429) refused = await third(`2001:db8:${row + 1}:8`);
      const text = await refused.text();
      assert.equal(refused.status, 429, text);
      // The limiters here are set to two; what is said are the numbers of the example.
      const { limits } = await readSettings();
      assert.match(refused.headers.get("RateLimit-Policy") ?? "", new RegExp(`^"address";q=${limits[limiter]};w=60$`));
      assert.match(refused.headers.get("RateLimit") ?? "", /^"address";r=0;t=60$/);
      assert.equal(refused.headers.get("Retry-After"), "60");
      assert.match(text, new RegExp(`At most ${limits[limiter]} `));
      assert.notEqual(await status(two({ "cf-connecting-ip": `2001:db8:${row + 1}:9::1` })), 429);
    });
  }

  test("on a 2024-11-05 stream calls count, and neither discovery nor a notification does", async (t) => {
    const stream = await EventStream.open(`${stack.url}/sse`, session.accessToken);
    t.after(() => stream.close());
    const endpoint = await stream.event("endpoint");
    const say = (method: string, rest: object) =>
      post(endpoint, JSON.stringify({ jsonrpc: "2.0", method, ...rest }), {
        authorization: `Bearer ${session.accessToken}`,
      });
    const statuses = async (network: string) => {
      const headers = { "cf-connecting-ip": `${network}::1` };
      const answers: number[] = [];
      const send = async (method: string, rest: object = { id: 1, params: {} }) =>
        void answers.push(await status(say(method, rest)(headers)));
      for (const method of ["tools/list", "ping", "resources/list", "no/such"]) await send(method);
      for (let count = 0; count < 3; count += 1) await send("notifications/initialized", {});
      await send("tools/call", { id: 2, params: { name: "authenticate", arguments: {} } });
      await send("resources/read", { id: 3, params: { uri: "microsoft://profile" } });
      await send("tools/call", { id: 4, params: { name: "authenticate", arguments: {} } });
      return answers;
    };
    const expected = [...Array(9).fill(202), 429];
    const answers = await statuses("2001:db8:a0:7");
    // A minute of the limiter may end on the way, but not twice.
    assert.deepEqual(answers.includes(429) ? answers : await statuses("2001:db8:a0:8"), expected);
  });

  test("discovery is not limited, with and without a token", async () => {
    const headers = { "cf-connecting-ip": "203.0.113.50" };
    const methods = ["tools/list", "resources/list", "prompts/list", "ping"];
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, index) => {
        const token = index % 2 === 0 ? session.accessToken : undefined;
        return rpc(stack, methods[index % methods.length] ?? "", {}, { token, headers });
      }),
    );
    assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
    const paths = ["/health", "/", "/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"];
    const documents = await Promise.all([...paths, ...paths, ...paths].map((path) => get(path)(headers)));
    assert.deepEqual([...new Set(documents.map(({ status }) => status))], [200]);
  });
});

test("RL-01: a limiter that fails keeps nobody out but from registering", async (t) => {
  const { text } = await bundleWorker("tests/support/observed-worker.ts");
  const stack = await startStack({ bundle: text });
  t.after(() => stack.dispose());
  const registration = { redirect_uris: ["https://app.example.com/cb"] };
  const refused = await readReply(
    await fetch(`${stack.url}/register`, { method: "POST", body: JSON.stringify(registration) }),
  );
  assert.deepEqual([refused.status, refused.headers.get("retry-after")], [429, "60"]);
  const client = await configureClient(stack);
  const session = await signInWith(stack, client);
  assertToolResult(await getEmails(stack, session.accessToken));
  assert.equal((await refresh(stack, client, session.refreshToken)).status, 200);
});

describe("RL-01: the quota of a grant,", () => {
  const QUOTA = 300;
  let lab: Lab;
  let session: Session;
  before(async () => {
    lab = await startLab({ rateLimits: true });
    session = await signInWith(lab.stack, await registerClient(lab.stack));
  });
  after(() => lab.stack.dispose());

  const ask = (token: string, index: number) =>
    rpc(lab.stack, "tools/call", { name: "authenticate", arguments: {} }, { token, path: index % 2 ? "/sse" : "/mcp" });
  const fields = ({ headers }: Reply) => [headers.get("RateLimit-Policy"), headers.get("RateLimit")?.split(";t=")[0]];
  const seconds = ({ headers }: Reply) => Number(/;t=(\d+)$/.exec(headers.get("RateLimit") ?? "")?.[1]);

  test("300 calls of a minute pass and count down, the 301st is 429 with its three fields", async () => {
    // Somebody else's call; the two do not count together.
    const other = await signInWith(lab.stack, session.client, { email: "boris.lindqvist@contoso.example" });
    const replies: Reply[] = [];
    for (let index = 0; index <= QUOTA; index += 1) replies.push(await ask(session.accessToken, index));
    const last = replies.pop();
    assert.ok(last);
    assert.deepEqual(
      replies.map((reply) => [reply.status, ...fields(reply)]),
      replies.map((_, index) => [200, '"grant";q=300;w=60', `"grant";r=${QUOTA - 1 - index}`]),
    );
    assert.deepEqual([last.status, ...fields(last)], [429, '"grant";q=300;w=60', '"grant";r=0']);
    const retryAfter = Number(last.headers.get("retry-after"));
    assert.ok(retryAfter >= 1 && retryAfter <= 60, String(retryAfter));
    assert.equal(retryAfter, seconds(last));
    const { error } = last.body as { error: { code: number; data: unknown } };
    // ER-01: its own code, so that a client that never sees a status can tell.
    assert.equal(error.code, 429);
    assert.deepEqual(error.data, { type: "rate_limited", retryAfterSeconds: retryAfter });
    assert.equal((await ask(other.accessToken, 0)).status, 200);
  });

  test("a renewed token has the same quota, resources count too, and nothing is asked of Graph", async () => {
    const reads = lab.stack.graph.requests.length;
    const renewed = await refresh(lab.stack, session.client, session.refreshToken);
    const token = String(renewed.body.access_token);
    assert.equal((await ask(token, 0)).status, 429);
    const resource = await rpc(lab.stack, "resources/read", { uri: "microsoft://profile" }, { token });
    assert.equal(resource.status, 429);
    assert.equal(lab.stack.graph.requests.length, reads);
    // What lists is no call.
    assert.equal((await rpc(lab.stack, "tools/list", {}, { token })).status, 200);
  });

  test("a minute later it is full again", async () => {
    await lab.moveTo(61);
    const reply = await ask(session.accessToken, 0);
    assert.deepEqual([reply.status, ...fields(reply)], [200, '"grant";q=300;w=60', '"grant";r=299']);
    assert.equal(seconds(reply), 60);
  });

  test("a call that is refused for its arguments counts, and says how many are left", async () => {
    const reply = await rpc(
      lab.stack,
      "tools/call",
      { name: "getEmails", arguments: { count: 0 } },
      {
        token: session.accessToken,
      },
    );
    assert.deepEqual([reply.status, ...fields(reply)], [200, '"grant";q=300;w=60', '"grant";r=298']);
  });

  test("a resource that could not be read counts, and says how many are left", async (t) => {
    t.after(() => lab.stack.graph.reset());
    lab.stack.graph.fault({ method: "GET" }, { kind: "refusal", status: 404, code: "ErrorItemNotFound" });
    const { accessToken } = session;
    const reply = await rpc(lab.stack, "resources/read", { uri: "microsoft://profile" }, { token: accessToken });
    assert.equal((reply.body.error as { code: number }).code, -32603, reply.text);
    assert.deepEqual([reply.status, ...fields(reply)], [200, '"grant";q=300;w=60', '"grant";r=297']);
  });
});
