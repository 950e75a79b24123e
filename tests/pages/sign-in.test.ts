// Deciding and signing in with a real Chromium: AP-02, AP-05, AP-06, OA-05, OA-15, EN-01, EN-03.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { pkcePair } from "../../fixtures/browser.ts";
import { authorizeUrl } from "../support/oauth-client.ts";
import { startChromium, withPerson } from "./chromium.ts";
import { type Deployment, LOGIN, ORIGIN, startDeployment } from "./deployment.ts";
import {
  answerAt,
  ask,
  authorizeVisits,
  chooseAda,
  heading,
  press,
  redeemStatus,
  textOf,
  WEB_REDIRECT,
} from "./person.ts";

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
afterEach(() => deployment.calm());

test("AP-03 / EN-01: approving leads to Microsoft, and from there to the client with a code that works", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    assert.equal((await page.goto(asking.url))?.status(), 200);
    await press(page, "Approve");
    assert.equal(new URL(page.url()).origin, LOGIN);
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("AP-05: approving and signing in work without scripts", async () => {
  const asking = await ask(deployment);
  await withPerson(
    browser,
    async ({ page }) => {
      await page.goto(asking.url);
      await press(page, "Approve");
      await chooseAda(page);
      assert.equal(await redeemStatus(deployment, page, asking), 200);
    },
    { javaScriptEnabled: false },
  );
});

test("AP-06: denying leads to the client with access_denied and never to Microsoft", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Deny");
    const answer = answerAt(page);
    assert.equal(answer.get("error"), "access_denied");
    assert.equal(answer.get("code"), null);
    assert.deepEqual(authorizeVisits(deployment), []);
  });
});

test("EN-03: cancelling at Microsoft leads to the client with access_denied", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await press(page, "Cancel");
    assert.equal(answerAt(page).get("error"), "access_denied");
  });
});

test("AP-02: a second visit shows Continue, and that signs in", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await chooseAda(page);
    await page.goto(asking.url);
    assert.equal(await heading(page), "Continue to Microsoft 365?");
    assert.match(await textOf(page), /You approved this before in this browser/);
    await press(page, "Continue");
    assert.equal(new URL(page.url()).origin, LOGIN);
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("AP-02: Change or deny on the short page shows the full page, whose buttons work", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await chooseAda(page);
    for (const decision of ["Deny", "Approve"]) {
      await page.goto(asking.url);
      await press(page, "Change or deny");
      assert.equal(await heading(page), "Allow access to Microsoft 365?");
      await press(page, decision);
      if (decision === "Deny") assert.equal(answerAt(page).get("error"), "access_denied");
    }
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("OA-05: an unknown client is told on a page that leads nowhere", async () => {
  await withPerson(browser, async ({ page }) => {
    const client = { clientId: "nobody", redirectUri: WEB_REDIRECT };
    const answer = await page.goto(authorizeUrl({ url: ORIGIN }, client, pkcePair().challenge));
    assert.equal(answer?.status(), 400);
    assert.equal(await heading(page), "This sign-in link does not work");
    assert.deepEqual(deployment.requestsTo(WEB_REDIRECT), []);
  });
});

test("OA-15: a sign-in that is finished in another browser ends on a page", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    const entraUrl = page.url();
    await withPerson(browser, async (other) => {
      await other.page.goto(entraUrl);
      await chooseAda(other.page);
      assert.equal(await heading(other.page), "Sign-in could not be completed");
    });
    assert.deepEqual(deployment.requestsTo(WEB_REDIRECT), []);
  });
});
