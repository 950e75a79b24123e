// Shows the samples in Chromium, one window for each kind of reader.
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { openPerson, type Person, startChromium } from "./chromium.ts";
import { sampleAt } from "./samples.ts";
import { listenPlainly } from "./sites.ts";

/** A phone of the smallest kind (WCAG 2.2, 1.4.10). */
export const NARROW = { viewport: { width: 320, height: 640 } };

export interface Viewer {
  /** The browser must not have complained about the page, nor about what was done with it. */
  look(name: string, act: (page: Page) => Promise<void>, reader?: BrowserContextOptions): Promise<void>;
  close(): Promise<void>;
}

export async function startViewer(): Promise<Viewer> {
  const browser = await startChromium();
  const samples = await listenPlainly(({ url }) => sampleAt(url.pathname));
  // Opening a window takes longer than showing a page in it.
  const windows = new Map<string, Promise<Person>>();
  return {
    async look(name, act, reader = {}) {
      const key = JSON.stringify(reader);
      const opened = windows.get(key) ?? openPerson(browser, reader);
      windows.set(key, opened);
      const { page, complaints } = await opened;
      const { length } = complaints;
      await page.goto(`http://127.0.0.1:${samples.port}/${encodeURIComponent(name)}`);
      await act(page);
      assert.deepEqual(complaints.slice(length), []);
    },
    async close() {
      await browser.close();
      await samples.close();
    },
  };
}
