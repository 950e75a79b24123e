// What people do with the pages, in Chromium: decide by hand or keyboard, judge names, copy steps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  characterMiddle,
  EDGE_CONTRAST,
  focus,
  lineCount,
  roomAroundFocus,
  roomAroundText,
  weights,
} from "./readable.ts";
import { LONG_NAME, RTL_NAME } from "./samples.ts";
import { NARROW, startViewer, type Viewer } from "./viewer.ts";

let viewer: Viewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer?.close());

const look: Viewer["look"] = (...all) => viewer.look(...all);

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
