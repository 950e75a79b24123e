// Signing in with a real Chromium at a deployment: AP-01 to AP-06, OA-05, OA-15, EN-01 to EN-03.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { pkcePair } from "../../fixtures/browser.ts";
import { ADA } from "../../fixtures/people.ts";
import { epochSeconds } from "../../src/core/time.ts";
import { loadKeyRing } from "../../src/crypto/keys.ts";
import { sealApprovalForm } from "../../src/oauth/approval-form.ts";
import { FORM_LIFETIME_SECONDS } from "../../src/oauth/grant/grant.ts";
import { authorizeUrl, type Changes } from "../support/oauth-client.ts";
import { openPerson, startChromium, withPerson } from "./chromium.ts";
import { CLIENT, type Deployment, FEDERATION, LOGIN, ORIGIN, STRANGER, startDeployment } from "./deployment.ts";
import { landing, listenPlainly, needsHost } from "./sites.ts";

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
afterEach(() => {
  Object.assign(deployment.stack.entra, { hop: false, sessionEmail: undefined });
  deployment.through = (_, response) => response;
  deployment.seen.length = 0;
});

const WEB_REDIRECT = `${CLIENT}/oauth/callback`;
const AUTHORIZE = `${ORIGIN}/authorize`;

interface Asking {
  /** Opens the approval page. */
  readonly url: string;
  readonly clientId: string;
  readonly verifier: string;
}

/** A client of its own that asks once. */
async function ask(redirectUri = WEB_REDIRECT, changes: Changes = {}): Promise<Asking> {
  const clientId = await deployment.register({ client_name: "Contoso Notes", redirect_uris: [redirectUri] });
  const { verifier, challenge } = pkcePair();
  return { url: authorizeUrl({ url: ORIGIN }, { clientId, redirectUri }, challenge, changes), clientId, verifier };
}

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();
const chooseAda = (page: Page) => page.getByRole("button", { name: ADA.name }).click();
const heading = (page: Page) => page.getByRole("heading", { level: 1 }).textContent();

/** The browser is back at the client, with an answer of ours. */
function answerAt(page: Page, redirectUri = WEB_REDIRECT): URLSearchParams {
  const url = new URL(page.url());
  assert.equal(`${url.origin}${url.pathname}`, redirectUri);
  assert.equal(url.searchParams.get("iss"), ORIGIN);
  assert.equal(url.searchParams.get("state"), "state-of-the-client");
  return url.searchParams;
}

async function redeemStatus(page: Page, { clientId, verifier }: Asking): Promise<number> {
  const code = answerAt(page).get("code") ?? "";
  const form = { grant_type: "authorization_code", client_id: clientId, code, code_verifier: verifier };
  const body = new URLSearchParams({ ...form, redirect_uri: WEB_REDIRECT }).toString();
  return (await deployment.post("/token", body, "application/x-www-form-urlencoded")).status;
}

const authorizeVisits = () =>
  deployment.seen.filter(({ url }) => url.origin === LOGIN && /\/authorize$/.test(url.pathname));
const posts = () => deployment.requestsTo(AUTHORIZE).filter(({ method }) => method === "POST");

test("AP-03 / EN-01: approving leads to Microsoft, and from there to the client with a code that works", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    assert.equal((await page.goto(asking.url))?.status(), 200);
    await press(page, "Approve");
    assert.equal(new URL(page.url()).origin, LOGIN);
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-05: approving and signing in work without scripts", async () => {
  const asking = await ask();
  await withPerson(
    browser,
    async ({ page }) => {
      await page.goto(asking.url);
      await press(page, "Approve");
      await chooseAda(page);
      assert.equal(await redeemStatus(page, asking), 200);
    },
    { javaScriptEnabled: false },
  );
});

test("AP-06: denying leads to the client with access_denied and never to Microsoft", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Deny");
    const answer = answerAt(page);
    assert.equal(answer.get("error"), "access_denied");
    assert.equal(answer.get("code"), null);
    assert.deepEqual(authorizeVisits(), []);
  });
});

test("EN-03: cancelling at Microsoft leads to the client with access_denied", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await press(page, "Cancel");
    assert.equal(answerAt(page).get("error"), "access_denied");
  });
});

test("AP-02: a second visit shows Continue, and that signs in", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await chooseAda(page);
    await page.goto(asking.url);
    assert.equal(await heading(page), "Continue to Microsoft 365?");
    assert.match((await page.locator("main").textContent()) ?? "", /You approved this before in this browser/);
    await press(page, "Continue");
    assert.equal(new URL(page.url()).origin, LOGIN);
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-02: Change or deny on the short page shows the full page, whose buttons work", async () => {
  const asking = await ask();
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
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-03: a form that has expired ends on a page that says so", async () => {
  const asking = await ask();
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
    assert.match((await page.locator("main").textContent()) ?? "", /expired/);
    assert.deepEqual(authorizeVisits(), []);
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
  const box = await page.getByRole("button", { name }).boundingBox();
  assert.ok(box !== null, `there is no button ${name}`);
  return [box.x + box.width / 2, box.y + box.height / 2] as const;
}

test("AP-03: a double click with a slow first answer still signs in", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    const button = await aim(page, "Approve");
    const first = holdRedirect();
    await page.mouse.click(...button);
    await first.answered;
    await page.mouse.click(...button);
    await page.getByRole("heading", { name: "You already approved this" }).waitFor();
    assert.equal(posts().length, 2);
    first.letGo();
    await page.getByRole("link", { name: "Continue to Microsoft" }).click();
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
    assert.equal(authorizeVisits().length, 1);
  });
});

test("AP-03: a double click with a quick answer signs in, whichever of the clicks counts", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await page.mouse.dblclick(...(await aim(page, "Approve")));
    const onward = page.getByRole("link", { name: "Continue to Microsoft" });
    const ada = page.getByRole("button", { name: ADA.name });
    await onward.or(ada).waitFor();
    if ((await ada.count()) === 0) await onward.click();
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-03: going back from Microsoft and approving once more signs in", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    await page.goBack();
    await page.getByRole("button").first().click();
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-03: two tabs of one browser sign in side by side", async () => {
  const [one, other] = [await ask(), await ask()];
  await withPerson(browser, async ({ page, context }) => {
    const tab = await context.newPage();
    await page.goto(one.url);
    await tab.goto(other.url);
    await press(page, "Approve");
    await press(tab, "Approve");
    await chooseAda(tab);
    await chooseAda(page);
    assert.equal(await redeemStatus(page, one), 200);
    assert.equal(await redeemStatus(tab, other), 200);
  });
});

test("AP-05: a sign-in that hops through a second identity provider is not blocked by form-action", async () => {
  deployment.stack.entra.hop = true;
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    assert.equal(new URL(page.url()).origin, FEDERATION);
    await chooseAda(page);
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

test("AP-05: somebody signed in at Microsoft comes back by redirects alone", async () => {
  deployment.stack.entra.sessionEmail = ADA.email;
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    assert.equal(await redeemStatus(page, asking), 200);
  });
});

for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
  test(`AP-05: approving and denying lead to a program on ${host}, by redirects alone`, needsHost(host), async () => {
    deployment.stack.entra.sessionEmail = ADA.email;
    const program = await listenPlainly(landing, host === "[::1]" ? "::1" : "127.0.0.1");
    const redirectUri = `http://${host}:${program.port}/callback`;
    const asking = await ask(redirectUri);
    try {
      await withPerson(browser, async ({ page }) => {
        await page.goto(asking.url);
        assert.match((await page.locator("main").textContent()) ?? "", /a program on this computer/);
        await press(page, "Approve");
        assert.match(answerAt(page, redirectUri).get("code") ?? "", /^m365c\./);
        await page.goto(asking.url);
        await press(page, "Deny");
        assert.equal(answerAt(page, redirectUri).get("error"), "access_denied");
      });
    } finally {
      await program.close();
    }
  });
}

for (const redirectUri of ["com.example.notes:/callback", "cursor://anysphere.cursor-mcp/oauth/callback"]) {
  for (const [decision, parameter] of [
    ["Approve", "code"],
    ["Deny", "error"],
  ] as const) {
    test(`AP-05: ${decision} opens the program behind ${redirectUri}`, async () => {
      deployment.stack.entra.sessionEmail = ADA.email;
      const asking = await ask(redirectUri);
      await withPerson(browser, async ({ page }) => {
        await page.goto(asking.url);
        // No such program is installed: Chromium gives up on the address, after it was allowed to go there.
        const handedOver = page.waitForEvent("requestfailed", (request) => request.url().startsWith(redirectUri));
        await press(page, decision);
        assert.ok(new URL((await handedOver).url()).searchParams.has(parameter));
      });
    });
  }
}

for (const [formAction, blocked] of [
  ["'self'", LOGIN],
  [`'self' ${LOGIN}`, FEDERATION],
] as const) {
  test(`self-check: with form-action ${formAction} this browser does not get to ${blocked}, and says so`, async () => {
    deployment.stack.entra.hop = true;
    deployment.through = (_, response) => {
      const policy = response.headers.get("content-security-policy") ?? "";
      response.headers.set("content-security-policy", policy.replace(/form-action [^;]+/, `form-action ${formAction}`));
      return response;
    };
    const asking = await ask();
    const { page, context, complaints } = await openPerson(browser);
    await page.goto(asking.url);
    await Promise.all([
      page.waitForEvent("console", (message) => message.text().includes("form-action")),
      page.getByRole("button", { name: "Approve" }).click({ noWaitAfter: true }),
    ]);
    assert.ok(complaints.length > 0);
    assert.deepEqual(
      deployment.seen.filter(({ url }) => url.origin === blocked),
      [],
    );
    await context.close();
  });
}

test("AP-03 / AP-05: the form comes with the Origin, Referer and Sec-Fetch-Site that are asked for; Microsoft learns none of it", async () => {
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    const [post] = posts();
    assert.equal(post?.headers.get("origin"), ORIGIN);
    assert.equal(post.headers.get("referer"), asking.url);
    assert.equal(post.headers.get("sec-fetch-site"), "same-origin");
    const [visit] = authorizeVisits();
    assert.ok(visit !== undefined);
    assert.equal(visit.headers.get("referer"), null);
    assert.equal(visit.headers.get("origin"), null);
  });
});

test("AP-01: this browser keeps the cookies, for this host alone, and gives none to scripts", async () => {
  const asking = await ask();
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
  const asking = await ask();
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    const box = await page.locator("input[name=form]").inputValue();
    deployment.strangerPage = `<!doctype html><title>Prize</title><form method="post" action="${AUTHORIZE}">
<input type="hidden" name="form" value="${box}"><button name="decision" value="approve">Win</button></form>`;
    await page.goto(STRANGER);
    const [answer] = await Promise.all([page.waitForResponse(AUTHORIZE), press(page, "Win")]);
    assert.equal(answer.status(), 403);
    assert.equal(await heading(page), "Nothing was approved");
    assert.match((await page.locator("main").textContent()) ?? "", /sent from another site/);
    const [post] = posts();
    assert.equal(post?.headers.get("origin"), STRANGER);
    assert.equal(post.headers.get("cookie"), null);
  });
});

test("AP-05: the approval page cannot be put into somebody else's frame", async () => {
  const asking = await ask();
  deployment.strangerPage = `<!doctype html><title>Prize</title><iframe src="${asking.url.replaceAll("&", "&amp;")}"></iframe>`;
  const { page, context, complaints } = await openPerson(browser);
  await page.goto(STRANGER);
  assert.equal(deployment.requestsTo(AUTHORIZE).length, 1);
  assert.equal(await page.frameLocator("iframe").getByRole("button", { name: "Approve" }).count(), 0);
  assert.match(complaints.join(), /frame-ancestors|X-Frame-Options/);
  await context.close();
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
  const asking = await ask();
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
