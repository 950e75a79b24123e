// The load scripts, without k6 and Artillery: what they would send is sent once, and what they check is checked.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { ROOT } from "../../fixtures/bundle.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";

let stack: Stack;
before(async () => {
  stack = await startStack();
});
after(() => stack.dispose());

/** `result.tools.0.name` of a parsed body. */
function memberAt(body: unknown, path: string): unknown {
  return path.split(".").reduce((value, name) => (value as Record<string, unknown> | undefined)?.[name], body);
}

interface Posted {
  readonly url: string;
  readonly body: string;
  readonly params: { readonly headers: Record<string, string> };
}

/** What a k6 script sees of an answer. */
interface K6Answer {
  readonly status: number;
  readonly timings: { readonly duration: number };
  json(path: string): unknown;
}

interface K6Script {
  readonly options: { readonly vus: number; readonly duration: string; readonly thresholds: Record<string, string[]> };
  default(): void;
}

/** What the two modules of k6 do here. */
interface K6 {
  post(...posted: [url: string, body: string, params: Posted["params"]]): K6Answer;
  check(answer: K6Answer, checks: Record<string, (answer: K6Answer) => boolean>): boolean;
}

describe("fixtures/load/k6.js", () => {
  let folder: string;
  let script: K6Script;
  let posted: Posted | undefined;
  let answer: K6Answer;
  let held: Record<string, boolean> = {};
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "m365-k6-"));
    const k6: K6 = {
      post: (url, body, params) => {
        posted = { url, body, params };
        return answer;
      },
      check(seen, checks) {
        held = Object.fromEntries(Object.entries(checks).map(([what, holds]) => [what, holds(seen)]));
        return true;
      },
    };
    Object.assign(globalThis, { __ENV: { URL: stack.url }, k6 });
    const text = await readFile(join(ROOT, "fixtures/load/k6.js"), "utf8");
    const stubbed = text
      .replace('import http from "k6/http";', "const http = globalThis.k6;")
      .replace('import { check } from "k6";', "const { check } = globalThis.k6;");
    assert.ok(!/^import /m.test(stubbed), "the script imports something that k6 does not have");
    const path = join(folder, "k6.mjs");
    await writeFile(path, stubbed);
    script = (await import(pathToFileURL(path).href)) as K6Script;
  });
  after(async () => {
    for (const name of ["__ENV", "k6"]) Reflect.deleteProperty(globalThis, name);
    await rm(folder, { recursive: true, force: true });
  });

  /** Sends what the script would send, then lets it look at the answer. */
  async function runOnce(duration: number, status?: number): Promise<Record<string, boolean>> {
    answer = { status: 0, timings: { duration: 0 }, json: () => undefined };
    script.default();
    assert.ok(posted !== undefined);
    const { url, body, params } = posted;
    const response = await fetch(url, { method: "POST", body, headers: params.headers });
    const answered: unknown = await response.json();
    answer = {
      status: status ?? response.status,
      timings: { duration },
      json: (path) => memberAt(answered, path),
    };
    script.default();
    return held;
  }

  test("LT-01: lists the tools of the local server and all checks hold", async () => {
    assert.deepEqual(Object.values(await runOnce(499)), [true, true, true]);
    assert.equal(posted?.url, `${stack.url}/mcp`);
  });

  test("LT-01: half a second is too long, and 503 is no list", async () => {
    assert.deepEqual(await runOnce(500), { ...held, "takes less than 500 ms": false });
    assert.equal((await runOnce(10, 503))["is 200"], false);
  });

  test("LT-01: a run fails on one failed request", () => {
    assert.deepEqual(script.options.thresholds.http_req_failed, ["rate==0"]);
    assert.deepEqual(script.options.thresholds.checks, ["rate==1"]);
    assert.deepEqual([script.options.vus, script.options.duration], [10, "30s"]);
  });
});

interface ArtilleryRequest {
  readonly url: string;
  readonly json: unknown;
  readonly expect: readonly Record<string, string | number>[];
}

interface ArtilleryFile {
  readonly config: {
    readonly target: string;
    readonly phases: readonly { readonly duration: number; readonly arrivalRate: number }[];
    readonly ensure: { readonly maxErrorRate: number };
  };
  readonly scenarios: readonly { readonly flow: readonly { readonly post: ArtilleryRequest }[] }[];
}

describe("fixtures/load/artillery.yml", () => {
  let file: ArtilleryFile;
  before(async () => {
    file = parse(await readFile(join(ROOT, "fixtures/load/artillery.yml"), "utf8"), { strict: true }) as ArtilleryFile;
  });

  test("LT-02: ten, then fifty arrivals a second, and no failure is accepted", () => {
    assert.deepEqual(
      file.config.phases.map(({ arrivalRate }) => arrivalRate),
      [10, 50],
    );
    assert.ok(file.config.phases.every(({ duration }) => duration > 0));
    assert.equal(file.config.ensure.maxErrorRate, 0);
    assert.equal(file.config.target, "http://127.0.0.1:8787");
  });

  test("LT-02: what it sends is answered as it expects", async () => {
    const requests = file.scenarios.flatMap(({ flow }) => flow.map(({ post }) => post));
    assert.ok(requests.length > 0);
    for (const { url, json, expect } of requests) {
      const headers = { "content-type": "application/json" };
      const response = await fetch(`${stack.url}${url}`, { method: "POST", body: JSON.stringify(json), headers });
      const body: unknown = await response.json();
      const holds: Record<string, (value: string | number) => boolean> = {
        statusCode: (value) => response.status === value,
        contentType: (value) => response.headers.get("content-type")?.includes(String(value)) === true,
        hasProperty: (value) => memberAt(body, String(value)) !== undefined,
      };
      for (const expectation of expect) {
        for (const [name, value] of Object.entries(expectation)) {
          assert.ok(holds[name]?.(value), `${name}: ${value}`);
        }
      }
    }
  });

  test("LT-02: fifty requests at once are all answered 200", async () => {
    const message = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list", params: {} });
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => fetch(`${stack.url}/mcp`, { method: "POST", body: message })),
    );
    const bodies = await Promise.all(answers.map((answer) => answer.text()));
    assert.ok(answers.every(({ status }) => status === 200));
    assert.equal(new Set(bodies).size, 1);
  });
});
