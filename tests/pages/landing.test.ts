// The landing page of the shipped bundle in a real Chromium: EP-13.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { startChromium, withPerson } from "./chromium.ts";
import { type Deployment, ORIGIN, startDeployment } from "./deployment.ts";
import { heading, textOf } from "./person.ts";
import { sampleAt } from "./samples.ts";
import { listenPlainly } from "./sites.ts";

let deployment: Deployment;
let browser: Browser;
before(async () => {
  deployment = await startDeployment();
  browser = await startChromium(deployment.hosts);
});
after(async () => {
  await browser?.close();
  await deployment?.close();
});

/** 34rem. */
const WIDTH = `getComputedStyle(document.body).maxWidth`;

test("EP-13: a person who opens the origin sees what it is, the address to connect to, and that it is healthy", () =>
  withPerson(browser, async ({ page }) => {
    assert.equal((await page.goto(ORIGIN))?.status(), 200);
    assert.equal(await heading(page), "Microsoft 365 MCP Server");
    const text = await textOf(page);
    assert.ok(text.includes(`${ORIGIN}/mcp`));
    assert.match(text, /Healthy\./);
    await page.getByRole("link", { name: "Check again" }).click();
    assert.equal(page.url(), `${ORIGIN}/health`);
  }));

test("EP-13: a page out of the browser's cache keeps its style", async () => {
  let asked = 0;
  // Without TLS: Chromium keeps nothing of a server whose certificate it was told to accept.
  const site = await listenPlainly(() => {
    asked += 1;
    return sampleAt("/landing");
  });
  await withPerson(browser, async ({ page }) => {
    for (const address of [`http://127.0.0.1:${site.port}/`, ORIGIN, `http://127.0.0.1:${site.port}/`]) {
      await page.goto(address);
      assert.equal(await page.evaluate<string>(WIDTH), "544px");
    }
  });
  await site.close();
  assert.equal(asked, 1);
});

test("EP-13: the page asks for nothing but itself", () =>
  withPerson(browser, async ({ page }) => {
    deployment.calm();
    await page.goto(ORIGIN);
    await page.waitForLoadState("networkidle");
    const asked = deployment.seen.map(({ url }) => url.pathname).filter((path) => path !== "/favicon.ico");
    assert.deepEqual(asked, ["/"]);
  }));
