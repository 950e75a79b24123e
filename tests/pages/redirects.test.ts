// Where a sign-in leads, and what form-action makes of it, in a real Chromium: AP-05.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { ADA } from "../../fixtures/people.ts";
import { openPerson, startChromium, withPerson } from "./chromium.ts";
import { type Deployment, FEDERATION, LOGIN, startDeployment } from "./deployment.ts";
import { answerAt, ask, chooseAda, press, redeemStatus, textOf } from "./person.ts";
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
afterEach(() => deployment.calm());

test("AP-05: a sign-in that hops through a second identity provider is not blocked by form-action", async () => {
  deployment.stack.entra.hop = true;
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    assert.equal(new URL(page.url()).origin, FEDERATION);
    await chooseAda(page);
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

test("AP-05: somebody signed in at Microsoft comes back by redirects alone", async () => {
  deployment.stack.entra.sessionEmail = ADA.email;
  const asking = await ask(deployment);
  await withPerson(browser, async ({ page }) => {
    await page.goto(asking.url);
    await press(page, "Approve");
    assert.equal(await redeemStatus(deployment, page, asking), 200);
  });
});

for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
  test(`AP-05: approving and denying lead to a program on ${host}, by redirects alone`, needsHost(host), async () => {
    deployment.stack.entra.sessionEmail = ADA.email;
    const program = await listenPlainly(landing, host === "[::1]" ? "::1" : "127.0.0.1");
    const redirectUri = `http://${host}:${program.port}/callback`;
    const asking = await ask(deployment, redirectUri);
    try {
      await withPerson(browser, async ({ page }) => {
        await page.goto(asking.url);
        assert.match(await textOf(page), /a program on this computer/);
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
      const asking = await ask(deployment, redirectUri);
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
    const asking = await ask(deployment);
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
