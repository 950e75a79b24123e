// How every page looks, in Chromium: readable, narrow, light and dark, with larger text, small.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EDGE_CONTRAST, edgeContrasts, fontSizes, overflow, TEXT_CONTRAST, textContrasts } from "./readable.ts";
import { SAMPLES, sampleAt } from "./samples.ts";
import { NARROW, startViewer, type Viewer } from "./viewer.ts";

let viewer: Viewer;
before(async () => {
  viewer = await startViewer();
});
after(() => viewer?.close());

const look: Viewer["look"] = (...all) => viewer.look(...all);

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
