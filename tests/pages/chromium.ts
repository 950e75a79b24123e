// A real browser for the pages, and what it complained about.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Where Debian and Ubuntu put it. */
const EXECUTABLE = "/usr/bin/chromium";

/** Nothing but the pages under test: no first-run pages, no updates, no telephone home. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @param hosts names and the ports of 127.0.0.1 that stand in for them; no other name resolves */
export function startChromium(hosts: Readonly<Record<string, number>> = {}): Promise<Browser> {
  assert.ok(existsSync(EXECUTABLE), `${EXECUTABLE} is missing: apt-get install chromium`);
  const rules = [
    ...Object.entries(hosts).map(([name, port]) => `MAP ${name}:443 127.0.0.1:${port}`),
    ...["localhost", "127.0.0.1", "[::1]", "::1"].map((name) => `EXCLUDE ${name}`),
    "MAP * ~NOTFOUND",
  ];
  const args = [...ARGUMENTS, `--host-resolver-rules=${rules.join(",")}`];
  return chromium.launch({ executablePath: EXECUTABLE, args });
}

/** One person at one browser: an own cookie jar, one tab to begin with. */
export interface Person {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Violations of a Content-Security-Policy and errors on the console, as Chromium words them. */
  readonly complaints: readonly string[];
}

/** Ends with the person's cookies gone. The browser must not have complained about any page on the way. */
export async function withPerson(
  browser: Browser,
  act: (person: Person) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const person = await openPerson(browser, options);
  try {
    await act(person);
    assert.deepEqual(person.complaints, []);
  } finally {
    await person.context.close();
  }
}

export async function openPerson(browser: Browser, options: BrowserContextOptions = {}): Promise<Person> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const complaints: string[] = [];
  context.on("console", (message) => {
    const text = message.text();
    if (["error", "warning"].includes(message.type()) && !isStatusNote(text)) complaints.push(text);
  });
  await context.addInitScript(
    `addEventListener("securitypolicyviolation", (event) => console.error("violated: " + event.violatedDirective + " by " + event.blockedURI))`,
  );
  return { context, page: await context.newPage(), complaints };
}

/** What Chromium says of every page that answers 4xx; the tests look at the status themselves. */
function isStatusNote(text: string): boolean {
  return /^Failed to load resource: the server responded with a status of \d{3}/.test(text);
}
