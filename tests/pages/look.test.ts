// How the pages look and feel, in Chromium: readable, narrow, light and dark, by keyboard, small.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { startChromium, withPerson } from "./chromium.ts";
import {
  characterMiddle,
  EDGE_CONTRAST,
  edgeContrasts,
  focus,
  fontSizes,
  lineCount,
  overflow,
  roomAroundFocus,
  roomAroundText,
  TEXT_CONTRAST,
  textContrasts,
  weights,
} from "./readable.ts";
import { LONG_NAME, RTL_NAME, SAMPLES, sampleAt } from "./samples.ts";
import { type Listening, listenPlainly } from "./sites.ts";

let browser: Browser;
let samples: Listening;
before(async () => {
  browser = await startChromium();
  samples = await listenPlainly(({ url }) => sampleAt(url.pathname));
});
after(async () => {
  await browser?.close();
  await samples?.close();
});

/** A phone of the smallest kind (WCAG 2.2, 1.4.10). */
const NARROW = { viewport: { width: 320, height: 640 } };

function look(name: string, act: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
  return withPerson(
    browser,
    async ({ page }) => {
      await page.goto(`http://127.0.0.1:${samples.port}/${encodeURIComponent(name)}`);
      await act(page);
    },
    options,
  );
}

for (const name of Object.keys(SAMPLES)) {
  test(`320 pixels are enough for the page: ${name}`, () =>
    look(name, async (page) => assert.equal(await overflow(page), 0), NARROW));

  for (const colorScheme of ["light", "dark"] as const) {
    test(`contrast suffices in ${colorScheme}: ${name}`, () =>
      look(
        name,
        async (page) => {
          const texts = await textContrasts(page);
          assert.ok(texts.length > 1);
          const edges = await edgeContrasts(page);
          assert.deepEqual(
            [
              ...texts.filter(({ ratio }) => ratio < TEXT_CONTRAST),
              ...edges.filter(({ ratio }) => ratio < EDGE_CONTRAST),
            ],
            [],
          );
        },
        { colorScheme },
      ));
  }

  test(`the page has under 10 KB: ${name}`, async () => {
    const { byteLength } = await sampleAt(`/${encodeURIComponent(name)}`).arrayBuffer();
    assert.ok(byteLength > 1000 && byteLength < 10_000, `${byteLength} bytes`);
  });

  test(`the page has one main heading, which is its title: ${name}`, () =>
    look(name, async (page) => {
      assert.deepEqual(await page.getByRole("heading", { level: 1 }).allTextContents(), [await page.title()]);
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
    }));
}

for (const name of Object.keys(SAMPLES)) {
  test(`text of twice the size fits and is twice the size: ${name}`, () =>
    look(
      name,
      async (page) => {
        const before = await fontSizes(page);
        // What the browser's own setting does; WCAG 2.2, 1.4.4.
        await page.evaluate(`document.documentElement.style.fontSize = "200%"`);
        assert.deepEqual(
          await fontSizes(page),
          before.map((size) => size * 2),
        );
        assert.equal(await overflow(page), 0);
      },
      { viewport: { width: 640, height: 800 } },
    ));
}

test("dark is dark and light is light", async () => {
  const ofHeading: Record<string, number> = {};
  for (const colorScheme of ["light", "dark"] as const) {
    await look(
      "two permissions",
      async (page) => {
        const colour = await page.evaluate<string>(`getComputedStyle(document.querySelector("h1")).color`);
        ofHeading[colorScheme] = Number(/\d+/.exec(colour)?.[0]);
      },
      { colorScheme },
    );
  }
  assert.deepEqual(ofHeading, { light: 0, dark: 255 });
});

for (const [name, buttons] of [
  ["two permissions", ["Approve", "Deny"]],
  ["all permissions, all links, a long host", ["Approve", "Deny"]],
  ["remembered", ["Continue", "Change or deny"]],
] as const) {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`Tab reaches ${buttons.join(", then ")}, and shows where it is, in ${colorScheme}: ${name}`, () =>
      look(
        name,
        async (page) => {
          for (const button of buttons) {
            await page.keyboard.press("Tab");
            const focused = await focus(page);
            assert.equal(focused?.what, button);
            assert.equal(focused.outline, "solid");
            assert.ok(focused.widthPx >= 2);
            assert.ok(focused.ratio >= EDGE_CONTRAST, `${focused.ratio}`);
          }
        },
        { colorScheme },
      ));
  }

  for (const width of [320, 1280]) {
    test(`${buttons.join(" and ")} weigh the same at ${width} pixels: ${name}`, () =>
      look(
        name,
        async (page) => {
          const [one, other, ...rest] = await weights(page);
          assert.ok(one !== undefined && rest.length === 0);
          assert.deepEqual(one, other);
          // WCAG 2.2, 2.5.5: a finger needs 44 pixels.
          assert.ok(Number(one.height) >= 44);
        },
        { viewport: { width, height: 800 } },
      ));
  }
}

test("the mark of focus is not cut off where a link ends the list of details", () =>
  look(
    "a link at the end",
    async (page) => {
      for (let press = 0; press < 3; press += 1) await page.keyboard.press("Tab");
      assert.equal((await focus(page))?.outline, "solid");
      // 3 pixels of outline, 2 of distance.
      assert.ok((await roomAroundFocus(page)) >= 5);
    },
    NARROW,
  ));

test("Tab reaches every link in the order of the page, after the buttons", () =>
  look("all permissions, all links, a long host", async (page) => {
    const reached: (string | undefined)[] = [];
    for (let press = 0; press < 5; press += 1) {
      await page.keyboard.press("Tab");
      reached.push((await focus(page))?.what.slice(0, 30));
    }
    assert.deepEqual(reached, [
      "Approve",
      "Deny",
      "https://contosocontosocontosoc",
      "https://notes.contoso.example/",
      "https://notes.contoso.example/",
    ]);
  }));

test("EP-13: Tab reaches the one link of the landing page", () =>
  look("landing", async (page) => {
    await page.keyboard.press("Tab");
    const focused = await focus(page);
    assert.equal(focused?.what, "Check again");
    assert.equal(focused.outline, "solid");
    await page.keyboard.press("Tab");
    assert.equal(await focus(page), undefined);
  }));

for (const [selector, index, text] of [
  [".host", 0, "https://m365.contoso.example/mcp"],
  ["code", 0, "claude mcp add --transport http microsoft-365 https://m365.contoso.example/mcp"],
  [
    "code",
    3,
    '{"mcpServers":{"microsoft-365":{"command":"npx","args":["mcp-remote","https://m365.contoso.example/mcp"]}}}',
  ],
] as const) {
  test(`EP-13: one click selects what is to be copied, however it wraps, and nothing else: ${text}`, () =>
    look(
      "landing",
      async (page) => {
        await page.locator(selector).nth(index).click();
        assert.equal(await page.evaluate<string>("String(getSelection())"), text);
      },
      NARROW,
    ));
}

test("the headings of the landing page are a table of contents without gaps", () =>
  look("landing", async (page) => {
    const levels = await page.evaluate<number[]>(
      `[...document.querySelectorAll("h1, h2, h3")].map((heading) => Number(heading.tagName[1]))`,
    );
    assert.deepEqual(levels, [1, 2, 3, 3, 3, 3, 3, 3, 2, 2]);
  }));

test("AP-06: a host of ordinary length is not broken at 320 pixels", () =>
  look("two permissions", async (page) => assert.equal(await lineCount(page, ".host"), 1), NARROW));

test("a link that looks like a button has its text in the middle", () =>
  look("already approved", async (page) => {
    const [above, below] = await roomAroundText(page, ".button");
    assert.ok(Math.abs(above - below) <= 2, `${above} above, ${below} below`);
  }));

test("AP-04: a name of 100 characters is there in full and leaves the buttons where they can be reached", () =>
  look(
    "a name of 100 characters without a space",
    async (page) => {
      assert.equal(await page.locator("strong").textContent(), LONG_NAME);
      const deny = await page.getByRole("button", { name: "Deny" }).boundingBox();
      assert.ok(deny !== null && deny.y + deny.height < NARROW.viewport.height, JSON.stringify(deny));
    },
    NARROW,
  ));

for (const selector of ["strong", "bdi"]) {
  test(`AP-04: a right-to-left name keeps its own order and does not disturb its line: ${selector}`, () =>
    look("a right-to-left name", async (page) => {
      const middles = await Promise.all([...RTL_NAME].map((_, index) => characterMiddle(page, selector, index)));
      assert.deepEqual(
        middles,
        [...middles].sort((left, right) => right - left),
      );
    }));
}

for (const selector of ["h1", ".host", ".actions"]) {
  test(`AP-04: marks piled on a letter of the name do not draw over ${selector}`, async () => {
    const pictures: string[] = [];
    for (const name of ["two permissions", "marks piled on a letter"]) {
      await look(name, async (page) => {
        pictures.push((await page.locator(selector).screenshot()).toString("base64"));
      });
    }
    assert.equal(pictures[0], pictures[1]);
  });
}

for (const [name, isNative] of [
  ["two permissions", false],
  ["a program on this computer", true],
  ["a program with its own scheme", true],
] as const) {
  test(`AP-06: the page ${isNative ? "says" : "does not say"} that a program of this computer asks: ${name}`, () =>
    look(name, async (page) => {
      const text = (await page.locator("main").textContent()) ?? "";
      assert.equal(text.includes("That is a program on this computer."), isNative);
    }));
}
