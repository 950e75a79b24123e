// CF-01, CF-08 at the bundle: everything wrong at once is named, nothing of it is shown, and what needs nothing answers.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { eventsOf } from "../support/oauth-assert.ts";
import { getEmails, type Reply, readReply, rpc } from "../support/oauth-client.ts";

/** Weak, cut, copied from an example, of another form. Each can be found again, should anybody show it. */
const WRONG: Readonly<Record<string, string>> = {
  MICROSOFT_CLIENT_ID: "<your client id>",
  MICROSOFT_CLIENT_SECRET: "your-client-secret",
  MICROSOFT_TENANT_ID: "contoso.onmicrosoft.example",
  ENCRYPTION_KEY: "0123456789abcdef0123456789abcdef",
  ENCRYPTION_KEY_PREVIOUS: "0".repeat(64),
  COOKIE_ENCRYPTION_KEY: "a".repeat(64),
  COOKIE_ENCRYPTION_KEY_PREVIOUS: "not-hexadecimal",
  COOKIE_SECRET: "your-cookie-secret-of-32-characters-or-more",
  COOKIE_SECRET_PREVIOUS: "short-one",
  GRAPH_API_VERSION: "v9.9",
  AI_GATEWAY_ID: "a gateway",
  AI_GATEWAY_ROUTE: "a route",
  AI_GATEWAY_SERVICE_TOKEN: "<token>",
  AI_GATEWAY_PROVIDER: "a provider",
  GRAPH_EGRESS_MODE: "straight-out",
  MICROSOFT_AUTHORITY: "http://login.evil.example",
  GRAPH_ORIGIN: "graph.evil.example",
  CF_ACCESS_TEAM_DOMAIN: "team.evil.example",
  CF_ACCESS_AUD: " , ",
  CF_ACCESS_PROTECT: "nothing-at-all",
  WORKER_DOMAIN: "https://mcp.evil.example",
  PROTOCOL: "gopher",
  OPERATOR_TOKEN: "let-me-in",
  ALLOWED_ORIGINS: "*.evil.example",
  REQUIRE_AUTH_ON_INITIALIZE: "perhaps",
  LOG_LEVEL: "loudest",
  DEBUG: "a-little",
};
const NAMES = Object.keys(WRONG).sort();

let stack: Stack;
before(async () => {
  stack = await startStack({ bindings: WRONG });
});
after(() => stack.dispose());

function assertNothingShown({ text, headers }: Reply): void {
  const all = `${text}${JSON.stringify([...headers])}`;
  const shown = Object.values(WRONG).filter((value) => value.length > 5 && all.includes(value));
  assert.deepEqual(shown, []);
}

test("CF-01 CF-08: /health is 503, names all of it and shows none", async () => {
  const reply = await readReply(await fetch(`${stack.url}/health`));
  assert.equal(reply.status, 503, reply.text);
  const { status, healthy, checks } = reply.body as {
    checks: { configuration: { keys: string[] } };
  } & typeof reply.body;
  // HL-01: the report stands beside the error, as whole as ever.
  assert.deepEqual([status, healthy, [...checks.configuration.keys].sort()], ["unhealthy", false, NAMES]);
  const { error, keys, requestId } = reply.body;
  assert.deepEqual([error, [...(keys as string[])].sort()], ["configuration_error", NAMES]);
  assert.equal(requestId, reply.headers.get("x-request-id"));
  assertNothingShown(reply);
});

const STOPPED: readonly (readonly [what: string, send: () => Promise<Reply>])[] = [
  ...["/authorize", "/callback"].map(
    (path) => [`GET ${path}`, async () => readReply(await fetch(`${stack.url}${path}`))] as const,
  ),
  ...["/authorize", "/token", "/register", "/revoke"].map(
    (path) => [`POST ${path}`, async () => readReply(await fetch(`${stack.url}${path}`, { method: "POST" }))] as const,
  ),
];

for (const [what, send] of STOPPED) {
  test(`CF-01 CF-08: ${what} is 503 configuration_error with the names and a request id`, async () => {
    const reply = await send();
    const { error, keys, requestId } = reply.body;
    assert.deepEqual([reply.status, error, [...(keys as string[])].sort()], [503, "configuration_error", NAMES]);
    assert.equal(requestId, reply.headers.get("x-request-id"));
    assertNothingShown(reply);
  });
}

test("CF-01: a protected call is 503 and names them, whatever token comes with it", async () => {
  for (const token of [undefined, `m365a.${"g".repeat(22)}.${"s".repeat(60)}`, "foreign"]) {
    const reply = await getEmails(stack, token);
    assert.equal(reply.status, 503, reply.text);
    for (const name of NAMES) assert.ok(reply.text.includes(name), name);
    assertNothingShown(reply);
  }
});

test("CF-01: discovery answers all the same", async () => {
  for (const method of ["tools/list", "resources/list", "prompts/list", "ping"]) {
    assert.equal((await rpc(stack, method, {})).status, 200, method);
  }
  for (const path of ["/", "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"]) {
    assert.equal((await fetch(`${stack.url}${path}`)).status, 200, path);
  }
});

test("CF-01 LG-03: whatever is asked, one line of level ERROR names them for the operator", async () => {
  for (const ask of [() => getEmails(stack), () => fetch(`${stack.url}/health`), () => fetch(`${stack.url}/token`)]) {
    await stack.settleLogs();
    stack.logs.length = 0;
    await ask();
    const [line, ...more] = await eventsOf(stack, "configuration error");
    assert.ok(line !== undefined && more.length === 0);
    const { keys } = line.metadata as { keys: string[] };
    assert.deepEqual([line.level, [...keys].sort()], ["ERROR", NAMES]);
  }
});

test("CF-08: nothing crashed, nothing was stored, and nothing was asked of Microsoft", async () => {
  assert.deepEqual(await eventsOf(stack, "unexpected fault"), []);
  assert.deepEqual([await stack.kv(), stack.outbound], [[], []]);
});
