// The form and the cookies of the approval page in a real Chromium: AP-01, AP-03, AP-05.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { pkcePair } from "../../fixtures/browser.ts";
import { ADA } from "../../fixtures/people.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { sealApprovalForm } from "../../src/oauth/approval-form.ts";
import { FORM_LIFETIME_SECONDS } from "../../src/oauth/grant/grant.ts";
import { openPerson, startChromium, withPerson } from "./chromium.ts";
import { type Deployment, ORIGIN, STRANGER, startDeployment } from "./deployment.ts";
import {
  AUTHORIZE,
  ask,
  authorizeVisits,
  chooseAda,
  heading,
  posts,
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

test("AP-03: a form that has expired ends on a page that says so", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page, context }) => {
    await page.goto(asking.url);
    const [cookie] = await context.cookies(ORIGIN);
    assert.equal(cookie?.name, "__Host-m365-form");
    const ring = await loadKeyRing(deployment.stack.bindings.COOKIE_ENCRYPTION_KEY ?? "", undefined);
    const request = {
      clientId: asking.clientId,
      redirectUri: WEB_REDIRECT,
      scopes: ["Mail.Read"],
      resource: ORIGIN,
      codeChallenge: pkcePair().challenge,
      state: undefined,
    } as const;
    const bygone = epochSeconds(Date.now() - (FORM_LIFETIME_SECONDS + 1) * 1000);
    const box = await sealApprovalForm(ring, request, cookie.value, bygone);
    await page.locator("input[name=form]").evaluate((input, value) => void Object.assign(input, { value }), box);
    const [answer] = await Promise.all([page.waitForResponse(AUTHORIZE), press(page, "Approve")]);
    assert.equal(answer.status(), 400);
    assert.equal(await heading(page), "Nothing was approved");
    assert.match(await textOf(page), /expired/);
    assert.deepEqual(authorizeVisits(deployment), []);
  });
});

/** The redirect to Microsoft does not reach the browser before it is let go. */
function holdRedirect() {
  let letGo = () => {};
  let reached = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const answered = new Promise<void>((resolve) => {
    reached = resolve;
  });
  deployment.through = async (request, response) => {
    if (request.method === "POST" && response.status === 302) {
      reached();
      await released;
    }
    return response;
  };
  return { letGo, answered };
}

/** Clicks of a hand: unlike a locator's they wait for nothing. */
async function aim(page: Page, name: string) {
  const button = page.getByRole("button", { name });
  await button.scrollIntoViewIfNeeded();
  const box = await button.boundingBox();
  assert.ok(box !== null, `there is no button ${name}`);
  return [box.x + box.width / 2, box.y + box.height / 2] as const;
}

test("AP-03: a double click with a slow first answer still signs in", { timeout: 60_000 }, async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    const button = await aim(page, "Approve");
    const first = holdRedirect();
    await page.mouse.click(...button);
    await first.answered;
    await page.mouse.click(...button);
    await page.getByRole("heading", { name: "You already approved this" }).waitFor();
    assert.equal(posts(deployment).length, 2);
    first.letGo();
    await page.getByRole("link", { name: "Continue to Microsoft" }).click();
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
    assert.equal(authorizeVisits(deployment).length, 1);
  });
});

test("AP-03: a double click with a quick answer signs in, whichever of the clicks counts", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await page.mouse.dblclick(...(await aim(page, "Approve")));
    const onward = page.getByRole("link", { name: "Continue to Microsoft" });
    const ada = page.getByRole("button", { name: ADA.name });
    await onward.or(ada).waitFor();
    if ((await ada.count()) === 0) await onward.click();
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("AP-03: going back from Microsoft and approving once more signs in", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    // There is nothing to go back from before Microsoft's page is there.
    await page.getByRole("button", { name: ADA.name }).waitFor();
    await page.goBack();
    await page.getByRole("button").first().click();
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("AP-03: two tabs of one browser sign in side by side", async () => {
  const [one, other] = [await ask(deployment), await ask(deployment)];
  await withPerson(browser, async ({ page, context }) => {
    const tab = await context.newPage();
    await page.goto(one.url);
    await tab.goto(other.url);
    await press(page, "Approve");
    await press(tab, "Approve");
    await chooseAda(tab);
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, one), 200);
    assert.equal(await redeemStatus(deployment, tab, other), 200);
  });
});

test("AP-03 / AP-05: the form comes with the Origin, Referer and Sec-Fetch-Site that are asked for; Microsoft learns none of it", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    const [post] = posts(deployment);
    assert.equal(post?.headers.get("origin"), ORIGIN);
    assert.equal(post.headers.get("referer"), asking.url);
    assert.equal(post.headers.get("sec-fetch-site"), "same-origin");
    const [visit] = authorizeVisits(deployment);
    assert.ok(visit !== undefined);
    assert.equal(visit.headers.get("referer"), null);
    assert.equal(visit.headers.get("origin"), null);
  });
});

test("AP-01: this browser keeps the cookies, for this host alone, and gives none to scripts", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page, context }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    const cookies = await context.cookies(ORIGIN);
    const names = cookies.map(({ name }) => name.replace(/[\w-]{8}$/, (end) => (name.includes("login") ? "…" : end)));
    assert.deepEqual(names.sort(), ["__Host-m365-approvals", "__Host-m365-form", "__Host-m365-login-…"]);
    for (const { name, httpOnly, secure, sameSite, path, domain } of cookies) {
      const attributes = { httpOnly: true, secure: true, sameSite: "Lax", path: "/", domain: new URL(ORIGIN).host };
      assert.deepEqual({ httpOnly, secure, sameSite, path, domain }, attributes, name);
    }
    const yearAhead = Date.now() / 1000 + 31_536_000;
    const approvals = cookies.find(({ name }) => name.endsWith("approvals"));
    assert.ok(Math.abs((approvals?.expires ?? 0) - yearAhead) < 120);
    await chooseAda(page);
    assert.ok(!(await context.cookies(ORIGIN)).some(({ name }) => name.includes("login")), "the login cookie is gone");
  });
});

test("AP-03: a form on somebody else's page is refused, even with a text that would open", async () => {
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    const box = await page.locator("input[name=form]").inputValue();
    deployment.strangerPage = `<!doctype html><title>Prize</title><form method="post" action="${AUTHORIZE}">
<input type="hidden" name="form" value="${box}"><button name="decision" value="approve">Win</button></form>`;
    await page.goto(STRANGER);
    const [answer] = await Promise.all([page.waitForResponse(AUTHORIZE), press(page, "Win")]);
    assert.equal(answer.status(), 403);
    assert.equal(await heading(page), "Nothing was approved");
    assert.match(await textOf(page), /sent from another site/);
    const [post] = posts(deployment);
    assert.equal(post?.headers.get("origin"), STRANGER);
    assert.equal(post.headers.get("cookie"), null);
  });
});

test("AP-05: the approval page cannot be put into somebody else's frame", async () => {
  const asking = await ask(deployment);
  deployment.strangerPage = `<!doctype html><title>Prize</title><iframe src="${asking.url.replaceAll("&", "&amp;")}"></iframe>`;
  const { page, context, complaints } = await openPerson(browser);
  await page.goto(STRANGER);
  assert.equal(deployment.requestsTo(AUTHORIZE).length, 1);
  assert.equal(await page.frameLocator("iframe").getByRole("button", { name: "Approve" }).count(), 0);
  assert.match(complaints.join(), /frame-ancestors|X-Frame-Options/);
  await context.close();
});
