// `npm run check:deploy` against the bundle: healthy, and with one thing broken at a time by what stands in front.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type AccessSimulator, startAccess } from "../../fixtures/access/server.ts";
import { approve, Browser } from "../../fixtures/browser.ts";
import { type Line, runChecks } from "../../fixtures/check-deploy/check.ts";
import { CHECKLIST } from "../../fixtures/check-deploy/checklist.ts";
import { type DeploymentOptions, openDeployment } from "../../fixtures/check-deploy/deployment.ts";
import { ExampleClient } from "../../fixtures/example-client.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { type Listening, listenPlainly, listenSecurely, type Site, type SiteRequest } from "../pages/sites.ts";
import { launchScript } from "../support/command.ts";

const SERVER_METADATA = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)/;

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

/** The Worker's own answer to a request, whatever address it came to. */
async function visit(to: Stack, { method, url, headers, body }: SiteRequest): Promise<Response> {
  const sent = new Headers(headers);
  for (const name of ["connection", "content-length", "host"]) sent.delete(name);
  const init = { method, headers: [...sent], redirect: "manual" as const, ...(body !== "" && { body }) };
  const send = () => to.mf.dispatchFetch(url.href, init);
  // When a long body is refused unread, undici may see the connection close before it sees the answer.
  const answer = await send().catch(send);
  return new Response(answer.body === null ? null : await answer.text(), {
    status: answer.status,
    headers: [...answer.headers],
  });
}

async function check(options: DeploymentOptions): Promise<readonly Line[]> {
  return runChecks(CHECKLIST, openDeployment(options));
}

const idsOf = (lines: readonly Line[], kind: Line["kind"]) =>
  lines.filter((line) => line.kind === kind).map(({ id }) => id);

/** Runs the checklist against the Worker with `break_` between the two. @returns the lines that failed */
async function checkBroken(break_: Break, options: Partial<DeploymentOptions> = {}): Promise<readonly Line[]> {
  let origin = "";
  const site: Site = (request) => break_(request, (changed = request) => visit(stack, changed), origin);
  const front = await listenPlainly(site);
  origin = `http://127.0.0.1:${front.port}`;
  try {
    return await check({ origin, ...options });
  } finally {
    await front.close();
  }
}

type Pass = (changed?: SiteRequest) => Promise<Response>;
type Break = (request: SiteRequest, pass: Pass, origin: string) => Promise<Response>;

/** Another body under the same headers. */
function rewrite(answer: Response, text: string, status = answer.status): Response {
  return new Response(text, { status, headers: answer.headers });
}

/** Changes the JSON that some paths answer. */
function edit(paths: RegExp, change: (body: Record<string, unknown>) => object): Break {
  return async (request, pass) => {
    const answer = await pass();
    if (!paths.test(request.url.pathname) || answer.status !== 200) return answer;
    return rewrite(answer, JSON.stringify(change((await answer.json()) as Record<string, unknown>)));
  };
}

/** Answers one kind of request with another status, and otherwise as before. */
function restate(
  which: (request: SiteRequest) => boolean,
  status: number,
  headers: Record<string, string> = {},
): Break {
  return async (request, pass) => {
    const answer = await pass();
    if (!which(request)) return answer;
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return rewrite(answer, await answer.text(), status);
  };
}

/** Sends requests on without one of their headers. */
function withoutHeader(name: string): Break {
  return (request, pass) => {
    const headers = new Headers(request.headers);
    headers.delete(name);
    return pass({ ...request, headers });
  };
}

function without(name: string): Break {
  return async (_, pass) => {
    const answer = await pass();
    answer.headers.delete(name);
    return answer;
  };
}

const goesTo =
  (path: string, method = "GET") =>
  (request: SiteRequest) =>
    request.url.pathname === path && request.method === method;

const HEALTH = /^\/health$/;
const deepHealth = (oauth: object) =>
  edit(HEALTH, (body) => ({ ...body, healthy: true, checks: { ...(body.checks as object), oauth } }));

const BREAKAGES: readonly (readonly [what: string, failing: readonly string[], break_: Break])[] = [
  [
    "/health says unhealthy",
    ["health"],
    async (request, pass, origin) => {
      const change = edit(HEALTH, (body) => ({ ...body, healthy: false }));
      return request.url.search === "" ? change(request, pass, origin) : pass();
    },
  ],
  ["the log level is DEBUG", ["debug"], edit(HEALTH, (body) => ({ ...body, checks: { logLevel: "DEBUG" } }))],
  [
    "the deep check fails",
    ["health-deep"],
    async (request, pass) => {
      const answer = await deepHealth({ status: "failed", healthy: false })(request, pass, "");
      return request.url.search === "?deep=1" ? rewrite(answer, await answer.text(), 503) : answer;
    },
  ],
  [
    "the issuer is another host",
    ["issuer", "metadata"],
    edit(SERVER_METADATA, (body) => ({ ...body, issuer: "https://old.example" })),
  ],
  [
    "a resource sends people to another server",
    ["metadata"],
    edit(/oauth-protected-resource/, (body) => ({ ...body, authorization_servers: ["https://old.example"] })),
  ],
  [
    "PKCE is offered as plain",
    ["pkce"],
    edit(SERVER_METADATA, (body) => ({ ...body, code_challenge_methods_supported: ["plain", "S256"] })),
  ],
  [
    "another tool comes first",
    ["tools-list"],
    edit(/^\/(mcp|sse)$/, (body) => ({ ...body, result: { tools: [{ name: "sendEmail" }] } })),
  ],
  ["the challenge is removed", ["call-without-token", "forged-token"], without("www-authenticate")],
  ["tokens are not looked at", ["forged-token"], withoutHeader("authorization")],
  [
    "a proxy lets every origin read",
    ["origin"],
    async (request, pass) => {
      const answer = await pass(request);
      if (request.headers.has("origin")) answer.headers.set("access-control-allow-origin", "*");
      return answer;
    },
  ],
  ["PUT is something else", ["method"], restate(goesTo("/mcp", "PUT"), 404)],
  ["bodies of any size are taken", ["size"], restate((request) => request.body.length > 5_000_000, 200)],
  ["anybody may register anything", ["registration"], restate(goesTo("/register", "POST"), 201)],
  [
    "the authorization page redirects",
    ["authorize"],
    restate(goesTo("/authorize"), 302, { location: "https://a.example" }),
  ],
  ["forged state is let through", ["callback"], restate(goesTo("/callback"), 302, { location: "https://a.example" })],
  ["/token is not ours", ["token"], restate(goesTo("/token", "POST"), 404)],
  ["nosniff is removed", ["headers"], without("x-content-type-options")],
  [
    "a fault shows its stack",
    ["errors"],
    async (request, pass) => {
      const answer = await pass();
      if (request.url.pathname !== "/no-such-path") return answer;
      return rewrite(answer, "TypeError: x is undefined\n    at fetch (worker.js:10:3)\n");
    },
  ],
  [
    "another Host is served as this one",
    ["host"],
    (request, pass, origin) => pass({ ...request, url: new URL(request.url.pathname + request.url.search, origin) }),
  ],
];

describe("npm run check:deploy, one thing broken", () => {
  for (const [what, failing, break_] of BREAKAGES) {
    test(`DP-05: ${what}: ${failing.join(" and ")} fail, and nothing else`, async () => {
      const lines = await checkBroken(break_);
      assert.deepEqual(idsOf(lines, "fail"), failing, JSON.stringify(lines.filter(({ kind }) => kind === "fail")));
      for (const line of lines) if (line.kind === "fail") assert.ok(line.found !== "" && line.advice !== "");
    });
  }

  test("DP-05: what is not configured is named, never shown", async () => {
    const broken = await startStack({ bindings: { MICROSOFT_CLIENT_SECRET: undefined } });
    try {
      const lines = await check({ origin: broken.url });
      const health = lines.find(({ id }) => id === "health");
      assert.ok(health?.kind === "fail" && health.found.includes("configuration MICROSOFT_CLIENT_SECRET"));
      assert.ok(!JSON.stringify(lines).includes(broken.bindings.ENCRYPTION_KEY ?? "-"));
      // What follows from it is no second finding, and no reason to suspect an attack.
      assert.deepEqual(idsOf(lines, "fail"), ["health", "health-deep"]);
      const token = lines.find(({ id }) => id === "forged-token");
      assert.ok(token?.kind === "skip" && token.why.includes("not configured"));
    } finally {
      await broken.dispose();
    }
  });

  test("DP-05: a server that is canonical elsewhere says where, in one line", async () => {
    const elsewhere = await startStack({ bindings: { WORKER_DOMAIN: "localhost:9", PROTOCOL: "http" } });
    try {
      const lines = await check({ origin: elsewhere.url });
      assert.deepEqual(idsOf(lines, "fail"), ["https"]);
      assert.ok(lines[0]?.kind === "fail" && lines[0].found.includes("This server is http://localhost:9."));
    } finally {
      await elsewhere.dispose();
    }
  });

  test("DP-05: a proxy that removes X-Request-Id is told apart from another server", async () => {
    const [removed] = await checkBroken(without("x-request-id"));
    assert.ok(removed?.kind === "fail" && removed.advice.includes("removes X-Request-Id"));
    const [other] = await checkBroken(async () => new Response("It works!"));
    assert.ok(other?.kind === "fail" && other.advice.includes("Something else answers"));
  });

  test("DP-05: a challenge that is removed is not called a token that is not checked", async () => {
    const [removed] = (await checkBroken(without("www-authenticate"))).filter(({ id }) => id === "forged-token");
    assert.ok(removed?.kind === "fail" && removed.found.endsWith("answered 401 without WWW-Authenticate"));
    assert.match(removed.advice, /^Tokens are checked/);
    const [open] = (await checkBroken(withoutHeader("authorization"))).filter(({ id }) => id === "forged-token");
    assert.ok(open?.kind === "fail" && open.advice.startsWith("Take the deployment out of service"));
  });

  test("DP-05: a header that is missing everywhere is said once", async () => {
    const missing = (await checkBroken(without("referrer-policy"))).find(({ id }) => id === "headers");
    assert.deepEqual(missing?.kind === "fail" && missing.found, "no Referrer-Policy: everywhere");
  });

  test("DP-05: a WAF that answers instead of the Worker is told apart from it", async () => {
    const lines = await checkBroken(async (request, pass) =>
      request.url.pathname === "/callback" ? new Response("<h1>Blocked</h1>", { status: 403 }) : pass(),
    );
    const callback = lines.find(({ id }) => id === "callback");
    assert.ok(callback?.kind === "fail" && callback.found.includes("it is not this Worker's answer"));
  });

  test("DP-05: where nothing answers, one line fails and the others are not asked", async () => {
    const front = await listenPlainly(() => new Response());
    await front.close();
    const lines = await check({ origin: `http://127.0.0.1:${front.port}` });
    assert.deepEqual(idsOf(lines, "fail"), ["https"]);
    assert.equal(idsOf(lines, "skip").length, CHECKLIST.length - 1);
  });

  test("DP-05: plain http beyond loopback is not asked at all", async () => {
    const [first] = await check({ origin: "http://mcp.example.com", token: "never sent" });
    assert.ok(first?.kind === "fail" && first.found.includes("is plain http"));
  });

  test("DP-05: Access is missed where it was asked for", async () => {
    const lines = await checkBroken((_, pass) => pass(), { isAccessExpected: true });
    assert.deepEqual(idsOf(lines, "fail"), ["access", "access-forged"]);
  });
});

describe("npm run check:deploy, healthy", () => {
  test("DP-05: the deep check passes where there is one", async () => {
    const lines = await checkBroken(deepHealth({ status: "ok", healthy: true }));
    assert.deepEqual([idsOf(lines, "fail"), idsOf(lines, "pass").includes("health-deep")], [[], true]);
  });

  test("DP-05: it leaves nothing behind and sends nothing", async () => {
    const before_ = await stack.kv();
    await check({ origin: stack.url });
    assert.deepEqual(await stack.kv(), before_);
    assert.deepEqual([stack.graph.requests.length, stack.outbound], [0, []]);
  });

  test("DP-05: with a token it reads one mail, and shows none of it", async () => {
    const client = await ExampleClient.connect({
      serverUrl: `${stack.url}/mcp`,
      redirectUrl: "http://127.0.0.1:33418/callback",
      signIn: (authorizeUrl) => approve(new Browser(), authorizeUrl.href),
    });
    await client.signIn();
    const token = client.tokens?.access_token ?? "";
    await client.close();
    const lines = await check({ origin: stack.url, token });
    assert.deepEqual([idsOf(lines, "fail"), idsOf(lines, "pass").includes("signed-in")], [[], true]);
    assert.deepEqual(
      stack.graph.requests.map(({ method }) => method),
      ["GET"],
    );
    const [newest] = stack.graph.account(ADA).messages;
    assert.ok(!JSON.stringify(lines).includes(String(newest?.message.subject)));
    const revoked = await check({
      origin: stack.url,
      token: token.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
    });
    assert.deepEqual(idsOf(revoked, "fail"), ["signed-in"]);
  });

  test("DP-05: behind Access, what is open is judged, and the rest with an assertion", async () => {
    const access: AccessSimulator = await startAccess();
    const guarded = await startStack({
      bindings: { CF_ACCESS_TEAM_DOMAIN: new URL(access.issuer).host, CF_ACCESS_AUD: access.audience },
      hosts: { [access.issuer]: access.origin },
    });
    try {
      const stranger = await check({ origin: guarded.url, isAccessExpected: true });
      assert.deepEqual(idsOf(stranger, "fail"), []);
      assert.ok(["health", "metadata", "access", "access-forged"].every((id) => idsOf(stranger, "pass").includes(id)));
      const call = stranger.find(({ id }) => id === "tools-list");
      assert.ok(call?.kind === "skip" && call.why.includes("--header"));
      const assertion = await access.assertion({ email: ADA.email, sub: "access-ada" });
      const headers = { "cf-access-jwt-assertion": assertion };
      const known = await check({ origin: guarded.url, isAccessExpected: true, headers });
      assert.deepEqual([idsOf(known, "fail"), idsOf(known, "pass").includes("tools-list")], [[], true]);
    } finally {
      await guarded.dispose();
      await access.close();
    }
  });
});

describe("npm run check:deploy over https", () => {
  let secure: Listening;
  let plain: Listening;
  let origin: string;
  let through: (answer: Response) => Response;
  before(async () => {
    // The certificate is made for this run and signed by nobody.
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
    const sites: Record<string, Site> = {};
    secure = await listenSecurely(sites);
    origin = `https://127.0.0.1:${secure.port}`;
    const site: Site = async (request) => through(await visit(stack, request));
    sites[new URL(origin).host] = site;
    sites["another-host.example"] = site;
    plain = await listenPlainly((request) => {
      const location = `${origin}${request.url.pathname}`;
      return new Response(null, request.method === "GET" ? { status: 308, headers: { location } } : { status: 403 });
    });
    await stack.restart({ WORKER_DOMAIN: new URL(origin).host, PROTOCOL: "https" });
  });
  after(async () => {
    await Promise.all([secure.close(), plain.close()]);
  });

  test("D-09, D-44: strict transport, a redirect from plain http, one name only", async () => {
    through = (answer) => answer;
    const lines = await check({ origin, plainOrigin: `http://127.0.0.1:${plain.port}` });
    assert.deepEqual(idsOf(lines, "fail"), []);
    assert.ok(["https", "plain-http", "host", "headers"].every((id) => idsOf(lines, "pass").includes(id)));
  });

  test("CS-02: without HSTS the headers fail", async () => {
    through = (answer) => {
      answer.headers.delete("strict-transport-security");
      return answer;
    };
    assert.deepEqual(idsOf(await check({ origin }), "fail"), ["headers"]);
  });

  test("D-44: plain http that serves fails", async () => {
    through = (answer) => answer;
    const serving = await listenPlainly(() => new Response("{}"));
    const lines = await check({ origin, plainOrigin: `http://127.0.0.1:${serving.port}` });
    await serving.close();
    assert.deepEqual(idsOf(lines, "fail"), ["plain-http"]);
  });

  test("D-09: without a canonical origin the other Host is not refused, and the line says what to set", async () => {
    await stack.restart({ WORKER_DOMAIN: undefined, PROTOCOL: undefined });
    const host = (await check({ origin })).find(({ id }) => id === "host");
    assert.ok(host?.kind === "skip" && host.why.includes("WORKER_DOMAIN"));
  });
});

describe("npm run check:deploy, the command", () => {
  const run = (...args: readonly string[]) => launchScript("check-deploy", args, { COLUMNS: "40" }).ended;

  test("DP-05: exit 0 where everything is as it should be, in lines that fit a narrow terminal", async () => {
    const { code, stdout, stderr } = await run(stack.url);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    assert.match(stdout, /\n\d+ passed, 0 failed, \d+ skipped/);
    assert.ok(!stdout.includes("\x1b"));
    const long = stdout.split("\n").filter((line) => line.length > 40);
    assert.deepEqual(long.length, 1, long.join("\n"));
  });

  test("DP-05: exit 1 and what to do where it is not; --json says the same", async () => {
    const front = await listenPlainly(async (request) => {
      const answer = await visit(stack, request);
      answer.headers.delete("content-security-policy");
      return answer;
    });
    const url = `http://127.0.0.1:${front.port}/mcp`;
    const [text, json] = await Promise.all([run(url), run(url, "--json")]);
    await front.close();
    assert.deepEqual([text.code, json.code], [1, 1]);
    assert.match(text.stdout, /FAIL {2}security headers[\s\S]*found: [\s\S]*to do: /);
    const report = JSON.parse(json.stdout);
    assert.deepEqual([report.healthy, report.failed, report.url], [false, 1, `http://127.0.0.1:${front.port}`]);
    assert.deepEqual(idsOf(report.checks, "fail"), ["headers"]);
  });

  const mistakes: readonly [args: readonly string[], message: RegExp][] = [
    [[], /^Give one address\. See: npm run check:deploy -- --help\n$/],
    [["mcp.example.com"], /^'mcp\.example\.com' is no http or https address\. See: .*\n$/],
    [["https://a.example", "--header", "x"], /^--header takes 'Name: value'\. See: .*\n$/],
    [["https://a.example", "--tokn"], /^Unknown option '--tokn'\. See: .*\n$/],
  ];
  for (const [args, message] of mistakes) {
    test(`DP-05: '${args.join(" ")}' is one line that says what is wrong, exit 1`, async () => {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});
