// What the answers of the authorization server have in common.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stack } from "../../fixtures/stack.ts";
import type { Reply } from "./oauth-client.ts";

/** A page that a person reads: no way on by itself, nothing to keep. */
export async function assertPage(response: Response, status: number): Promise<string> {
  const text = await response.text();
  assert.equal(response.status, status, text.slice(0, 300));
  assert.equal(response.headers.get("location"), null, "a page must not lead anywhere");
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  assert.match(response.headers.get("cache-control") ?? "", /no-store/);
  assert.match(response.headers.get("x-request-id") ?? "", /^[0-9a-f-]{36}$/);
  assert.ok(text.includes(response.headers.get("x-request-id") ?? "?"), "the page shows no request id");
  return text;
}

/** RFC 6749 §4.1.2.1 with RFC 9207: an error that the client hears of. */
export async function assertErrorRedirect(
  response: Response,
  expected: {
    readonly redirectUri: string;
    readonly error: string;
    readonly state: string | null;
    readonly iss: string;
  },
): Promise<URL> {
  await response.body?.cancel();
  assert.equal(response.status, 302);
  return assertErrorLocation(response.headers.get("location"), expected);
}

export function assertErrorLocation(
  location: string | null,
  expected: {
    readonly redirectUri: string;
    readonly error: string;
    readonly state: string | null;
    readonly iss: string;
  },
): URL {
  assert.ok(location !== null, "no Location");
  assert.ok(location.startsWith(expected.redirectUri), location);
  const url = new URL(location);
  assert.equal(url.searchParams.get("error"), expected.error, location);
  assert.ok((url.searchParams.get("error_description") ?? "") !== "", "no error_description");
  assert.equal(url.searchParams.get("state"), expected.state);
  assert.equal(url.searchParams.get("iss"), expected.iss);
  assert.equal(url.searchParams.get("code"), null);
  return url;
}

/** RFC 6749 §5.2: an error of /token, /register or /revoke. */
export function assertOAuthError(reply: Reply, status: number, error: string): void {
  assert.deepEqual([reply.status, reply.body.error], [status, error], reply.text);
  assert.equal(typeof reply.body.error_description, "string");
  // RFC 6749 §5.2: printable ASCII without quote and backslash.
  assert.match(String(reply.body.error_description), /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
  assert.match(reply.headers.get("cache-control") ?? "", /no-store/);
  assert.match(reply.headers.get("content-type") ?? "", /^application\/json/);
  for (const name of ["access_token", "refresh_token", "client_secret"]) assert.ok(!(name in reply.body));
}

/** AU-01: not signed in, or no longer. */
export function assertUnauthorized(reply: Reply): void {
  assert.equal(reply.status, 401, reply.text);
  assert.match(reply.headers.get("www-authenticate") ?? "", /^Bearer .*error="invalid_token"/);
  assert.deepEqual(Object.keys(reply.body).sort(), ["error", "id", "jsonrpc"]);
}

/** A tool that did what it was asked. */
export function assertToolResult(reply: Reply): void {
  assert.equal(reply.status, 200, reply.text);
  const { result } = reply.body;
  assert.ok(typeof result === "object" && result !== null, reply.text);
  assert.ok(!("isError" in result && result.isError === true), reply.text);
}

/** Longer than anything that goes on after an answer takes. */
const PATIENCE_MILLISECONDS = 5000;

/** Repeats a check of something that goes on after the answer (`waitUntil`), until it holds. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const endMs = Date.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** Names of the objects' files: workerd makes one for every object that was ever asked, whether it stored anything or not. */
async function objectFiles(stack: Stack): Promise<readonly string[]> {
  const folder = stack.mf.unsafeGetPersistPaths().get("do");
  assert.ok(folder !== undefined, "the objects are kept nowhere");
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => /[0-9a-f]{64}\.sqlite$/.test(name))
    .map((name) => join(folder, name))
    .sort();
}

async function readIfThere(path: string): Promise<string> {
  return readFile(path, "latin1").catch(() => "");
}

/** The objects that hold a grant's table; one that was asked and stored nothing is not among them. */
export async function storedGrants(stack: Stack): Promise<readonly string[]> {
  const stored: string[] = [];
  for (const path of await objectFiles(stack)) {
    // An idle object's log is merged into its file and removed, at any time.
    const text = `${await readIfThere(`${path}-wal`)}${await readIfThere(path)}`;
    if (text.includes("CREATE TABLE record")) stored.push(path);
  }
  return stored;
}

/** What is stored: the KV entries, and which objects were ever asked. Waits until nothing is being written any more. */
export async function storageOf(stack: Stack): Promise<unknown> {
  const read = async () => ({ kv: await stack.kv(), objects: await objectFiles(stack) });
  let last = await read();
  await eventually(async () => {
    const next = await read();
    const isQuiet = JSON.stringify(next) === JSON.stringify(last);
    last = next;
    assert.ok(isQuiet, "something is still being written");
  });
  return last;
}

/** Log lines that are JSON with this message. */
export async function eventsOf(stack: Stack, message: string): Promise<Readonly<Record<string, unknown>>[]> {
  await stack.settleLogs();
  const events: Readonly<Record<string, unknown>>[] = [];
  for (const line of stack.logs) {
    try {
      const event: unknown = JSON.parse(line);
      if (typeof event === "object" && event !== null && "message" in event && event.message === message) {
        events.push({ ...event });
      }
    } catch {
      // A line of workerd itself.
    }
  }
  return events;
}
