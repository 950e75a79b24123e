// Signing in with a real Chromium at a Worker on this computer, as `npm start` serves it: D-32, AP-01, OA-09.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { pkcePair } from "../../fixtures/browser.ts";
import { ADA } from "../../fixtures/people.ts";
import { type Stack, startStack } from "../../fixtures/stack.ts";
import { authorizeUrl, redeem } from "../support/oauth-client.ts";
import { startChromium, withPerson } from "./chromium.ts";
import { HAS_IPV6, type Listening, landing, listenPlainly, needsHost } from "./sites.ts";

let stack: Stack;
let browser: Browser;
let programs: readonly Listening[];
let port: number;
before(async () => {
  stack = await startStack();
  browser = await startChromium();
  // A name may stand for either address, so the program listens on both, with one port.
  const program = await listenPlainly(landing);
  port = program.port;
  programs = HAS_IPV6 ? [program, await listenPlainly(landing, "::1", port)] : [program];
});
after(async () => {
  await browser?.close();
  await stack?.dispose();
  await Promise.all((programs ?? []).map((program) => program.close()));
});

const STATIC_CLIENT_ID = "rWJu8WV42zC5pfGT";

for (const hop of [false, true]) {
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const way = hop ? "through a second identity provider" : "from the page of Microsoft";
    test(`OA-09: the static client on ${host} gets its code ${way}`, needsHost(host), async () => {
      stack.entra.hop = hop;
      const redirectUri = `http://${host}:${port}/oauth/callback`;
      const client = { clientId: STATIC_CLIENT_ID, clientSecret: undefined, method: "none", redirectUri } as const;
      const { verifier, challenge } = pkcePair();
      await withPerson(browser, async ({ page }) => {
        await page.goto(authorizeUrl(stack, client, challenge));
        await page.getByRole("button", { name: "Approve" }).click();
        await page.getByRole("button", { name: ADA.name }).click();
        const answer = new URL(page.url());
        assert.equal(`${answer.origin}${answer.pathname}`, redirectUri);
        assert.equal(answer.searchParams.get("iss"), stack.url);
        const code = answer.searchParams.get("code") ?? "";
        assert.equal((await redeem(stack, client, { code, verifier })).status, 200);
      });
    });
  }
}

test("AP-05 / DX-02: a web application's redirect is reached from a server on this computer too", async () => {
  const redirectUri = "https://app.example.com/callback";
  const metadata = { client_name: "My application", redirect_uris: [redirectUri] };
  const registered = await fetch(`${stack.url}/register`, { method: "POST", body: JSON.stringify(metadata) });
  const { client_id: clientId } = (await registered.json()) as { client_id: string };
  await withPerson(browser, async ({ page }) => {
    await page.goto(authorizeUrl(stack, { clientId, redirectUri }, pkcePair().challenge));
    await page.getByRole("button", { name: "Approve" }).click();
    // Nobody listens there; that the browser went is what counts.
    const asked = page.waitForRequest((request) => request.url().startsWith(redirectUri));
    await page.getByRole("button", { name: ADA.name }).click();
    assert.match(new URL((await asked).url()).searchParams.get("code") ?? "", /^m365c\./);
  });
});

test("OA-09 / AP-02: the static client shows the full page at every visit", async () => {
  const client = { clientId: STATIC_CLIENT_ID, redirectUri: `http://127.0.0.1:${port}/callback` };
  await withPerson(browser, async ({ page }) => {
    for (let visit = 0; visit < 2; visit += 1) {
      await page.goto(authorizeUrl(stack, client, pkcePair().challenge));
      assert.equal(await page.getByRole("button", { name: "Deny", exact: true }).count(), 1);
      await page.getByRole("button", { name: "Approve" }).click();
    }
  });
});

test("AP-01: on plain http cookies have neither prefix nor Secure, and this browser keeps them", async () => {
  const client = { clientId: STATIC_CLIENT_ID, redirectUri: `http://127.0.0.1:${port}/callback` };
  await withPerson(browser, async ({ page, context }) => {
    await page.goto(authorizeUrl(stack, client, pkcePair().challenge));
    await page.getByRole("button", { name: "Approve" }).click();
    const cookies = (await context.cookies(stack.url)).filter(({ name }) => name.startsWith("m365-"));
    assert.equal(cookies.length, 3);
    for (const { name, httpOnly, secure, sameSite, path, domain } of cookies) {
      const attributes = { httpOnly: true, secure: false, sameSite: "Lax", path: "/", domain: "127.0.0.1" };
      assert.deepEqual({ httpOnly, secure, sameSite, path, domain }, attributes, name);
    }
  });
});
