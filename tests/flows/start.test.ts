// `npm start` with something in front of it, with something broken, and without.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { approve, Browser } from "../../fixtures/browser.ts";
import { ROOT } from "../../fixtures/bundle.ts";
import { ExampleClient } from "../../fixtures/example-client.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { faultCommands } from "../../fixtures/start/commands.ts";
import { sortDevVars } from "../../fixtures/start/dev-vars.ts";
import { FAULT_NAMES, FAULTS, type FaultName } from "../../fixtures/start/faults.ts";
import { permissions } from "../../fixtures/start/real.ts";
import { openTerminal } from "../../fixtures/terminal.ts";
import { freePort } from "../../fixtures/workerd.ts";
import { commandsIn, launch, launchScript, type Running, runInShell } from "../support/command.ts";
import { EventStream, Socket } from "../support/mcp.ts";

function connect(url: string): Promise<ExampleClient> {
  return ExampleClient.connect({
    serverUrl: `${url}/mcp`,
    redirectUrl: "http://127.0.0.1:33418/callback",
    signIn: (authorizeUrl) => approve(new Browser(), authorizeUrl.href),
  });
}

describe("npm start -- --access --fault gateway-block, in 40 columns", () => {
  let running: Running;
  let output: string;
  let direct: string;
  let proxy: string;
  before(async () => {
    const port = await freePort();
    direct = `http://127.0.0.1:${port}`;
    proxy = `http://127.0.0.1:${port + 1}`;
    const args = ["--port", String(port), "--access", "--fault", "gateway-block"];
    running = launchScript("start", args, { COLUMNS: "40" });
    output = await running.printed("Ctrl-C stops everything.");
  });
  after(() => running.child.kill("SIGKILL"));

  test("LD-01: commands and credentials stay whole in a narrow terminal, everything else fits", () => {
    assert.equal(commandsIn(output).length, 6);
    assert.match(output, /^m365a\.[\w-]{22}\.[\w-]{59}$/m);
    assert.match(output, /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m);
    const rest = commandsIn(output).reduce((text, command) => text.replace(command, ""), output);
    const long = rest.split("\n").filter((line) => line.length > 40 && !/^(m365a\.|eyJ)/.test(line));
    assert.deepEqual(long, []);
    assert.ok(!output.includes("\x1b"));
  });

  test("AC-01: the printed commands show who gets in: nobody without an assertion", async () => {
    const [without, withOne, mails, metadata] = await Promise.all(commandsIn(output).slice(0, 4).map(runInShell));
    assert.equal(without.error, "access_denied");
    assert.equal(withOne.result.tools[0].name, "getEmails");
    assert.equal(mails.result.structuredContent.error.type, "gateway_policy");
    assert.equal(metadata.resource, `${direct}/mcp`);
  });

  test("LD-06: the printed command shows the fault that was asked for", async () => {
    const [, , , , broken, tools] = await Promise.all(commandsIn(output).map(runInShell));
    assert.deepEqual([broken.result.isError, broken.result.structuredContent.error.type], [true, "gateway_policy"]);
    assert.equal(tools.result.tools[0].name, "getEmails");
  });

  test("AC-05: the server's own address refuses a browser and a token; the proxy lets Ada pass", async () => {
    const [, token = ""] = /^(m365a\.\S+)$/m.exec(output) ?? [];
    const headers = { authorization: `Bearer ${token}`, "cf-access-jwt-assertion": "e.y.J" };
    for (const [url, status] of [
      [direct, 403],
      [proxy, 200],
    ] as const) {
      const answer = await fetch(`${url}/info`, { headers });
      assert.equal(answer.status, status, url);
    }
  });

  test("AC-05: an MCP client signs in by way of the proxy, in a browser that goes there too", async () => {
    const client = await connect(proxy);
    assert.equal((await client.call("authenticate")).authenticated, true);
    await client.close();
  });

  test("EP-03, EP-04: streams and sockets pass the proxy", async () => {
    const client = await connect(proxy);
    await client.signIn();
    const token = client.tokens?.access_token ?? "";
    await client.close();
    const stream = await EventStream.open(`${proxy}/sse`, token);
    assert.match(await stream.event("endpoint"), /^\/sse\/message\?sessionId=/);
    stream.close();
    const socket = await Socket.open(`${proxy}/mcp`, token);
    const answer = await socket.ask("tools/list");
    assert.match(JSON.stringify(answer), /getEmails/);
    socket.ws.close();
    await assert.rejects(Socket.open(`${direct}/mcp`, token));
  });

  test("LD-01: an interrupt stops server, proxy and simulators, exit 0", async () => {
    running.child.kill("SIGINT");
    const { code, stderr } = await running.ended;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
    for (const url of [direct, proxy]) await assert.rejects(fetch(`${url}/health`));
  });
});

describe("npm start -- --log", () => {
  test("LD-07: what the Worker logs is printed, a line each, and names the sign-in but no token", async () => {
    const running = launchScript("start", ["--port", String(await freePort()), "--log"]);
    const output = await running.printed("Ctrl-C stops everything.");
    running.child.kill("SIGINT");
    assert.equal((await running.ended).code, 0);
    const lines = output.split("\n").filter((line) => line.startsWith("{"));
    const messages = lines.map((line) => (JSON.parse(line) as { message: string }).message);
    assert.ok(messages.includes("OAuth sign-in completed"), messages.join());
    assert.doesNotMatch(lines.join(), /m365[acrs]\./);
  });
});

describe("npm start -- --fault", () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack();
  });
  after(() => stack.dispose());

  const shown: Readonly<Record<FaultName, string>> = {
    throttled: "graph_throttled",
    expired: "auth_required",
    "gateway-block": "gateway_policy",
    offline: "gateway_unavailable",
  };
  for (const name of FAULT_NAMES) {
    test(`LD-06: ${name} shows as its command promises, and listing goes on`, async () => {
      stack.graph.reset();
      stack.gateway.fault = undefined;
      const client = await connect(stack.url);
      await client.signIn();
      FAULTS[name].arm(stack);
      const [broken, listed] = faultCommands(stack.url, client.tokens?.access_token ?? "", name);
      const answer = await runInShell(broken?.text ?? "");
      const error = answer.result?.structuredContent.error ?? answer.error.data;
      assert.equal(error.type, shown[name]);
      assert.ok(name === "expired" || broken?.expect?.includes(shown[name]), broken?.expect);
      if (name === "throttled") assert.equal(error.retryAfterSeconds, 30);
      assert.equal((await runInShell(listed?.text ?? "")).result.tools[0].name, "getEmails");
      await client.close();
    });
  }

  test("EN-06: after --fault expired a new sign-in works", async () => {
    stack.graph.reset();
    stack.gateway.fault = undefined;
    const client = await connect(stack.url);
    await client.signIn();
    FAULTS.expired.arm(stack);
    assert.equal((await client.call("getEmails", { count: 1 })).length, 1);
    await client.close();
  });
});

describe("npm start without a server", () => {
  test("LD-01: --real names what to register and says what was not tried, exit 0", async () => {
    const { code, stdout } = await launch("npm", ["start", "--silent", "--", "--real"]).ended;
    assert.equal(code, 0);
    const text = stdout.replace(/\s+/g, " ");
    assert.match(text, /nothing of this project has run against a live Microsoft tenant/);
    assert.ok(text.includes(permissions().join(", ")));
    for (const name of ["MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET", "MICROSOFT_TENANT_ID", "ENCRYPTION_KEY"]) {
      assert.ok(text.includes(name), name);
    }
  });

  test("EN-08: --real asks for no permission that the README does not explain", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const graph = permissions().filter((name) => !["openid", "profile", "offline_access"].includes(name));
    assert.deepEqual(
      graph.filter((name) => !readme.includes(`\`${name}\``)),
      [],
    );
  });

  test("CF-06: of .dev.vars, what names a service outside is not used here", () => {
    const text = [
      "MICROSOFT_CLIENT_ID=real",
      "CF_ACCESS_TEAM_DOMAIN=team.cloudflareaccess.com",
      "CF_ACCESS_AUD=abc",
      "WORKER_DOMAIN=mcp.example.com",
      "PROTOCOL=https",
      "ENCRYPTION_KEY=",
      "export LOG_LEVEL='DEBUG' # more",
      "ALLOWED_ORIGINS=https://app.example.com # one",
    ].join("\r\n");
    const { used, unused } = sortDevVars(text);
    assert.deepEqual(used, { LOG_LEVEL: "DEBUG", ALLOWED_ORIGINS: "https://app.example.com" });
    const outside = ["MICROSOFT_CLIENT_ID", "CF_ACCESS_TEAM_DOMAIN", "CF_ACCESS_AUD", "WORKER_DOMAIN", "PROTOCOL"];
    assert.deepEqual(unused, outside);
  });

  test("CF-06: a canonical address on this machine is used", () => {
    const { used, unused } = sortDevVars("WORKER_DOMAIN=localhost:8787\nPROTOCOL=http\n");
    assert.deepEqual([used, unused], [{ WORKER_DOMAIN: "localhost:8787", PROTOCOL: "http" }, []]);
  });

  test("LD-01: colours at a terminal only, and not where NO_COLOR is set", () => {
    const output = { isTTY: true, columns: 80, write: () => true };
    assert.equal(openTerminal(output, {}).bold("a"), "\x1b[1ma\x1b[0m");
    assert.equal(openTerminal(output, { NO_COLOR: "1" }).bold("a"), "a");
    assert.equal(openTerminal(output, { TERM: "dumb" }).bold("a"), "a");
    assert.equal(openTerminal({ ...output, isTTY: false }, {}).bold("a"), "a");
  });
});
