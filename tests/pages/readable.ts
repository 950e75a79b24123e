// What a person needs of a page, measured in the browser.
import type { Page } from "playwright-core";

/** WCAG 2.2, 1.4.3 and 1.4.11: text of ordinary size; edges of controls and the mark of focus. */
export const [TEXT_CONTRAST, EDGE_CONTRAST] = [4.5, 3];

/** Pixels by which the page is wider than the window, or something in it wider than its place and so cut off. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate<number>(`Math.max(...[document.documentElement, ...document.querySelectorAll("main, main *")]
    .filter((element) => getComputedStyle(element).display !== "inline")
    .map((element) => element.scrollWidth - element.clientWidth))`);
}

/** Of every element with text of its own, in pixels. */
export function fontSizes(page: Page): Promise<readonly number[]> {
  return page.evaluate<readonly number[]>(`[...document.querySelectorAll("main *")]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim() !== ""))
    .map((element) => parseFloat(getComputedStyle(element).fontSize))`);
}

export interface Contrast {
  readonly what: string;
  /** 1 to 21. */
  readonly ratio: number;
}

/** Every run of text against what lies behind it. */
export function textContrasts(page: Page): Promise<readonly Contrast[]> {
  return page.evaluate<readonly Contrast[]>(`(() => {
    ${COLOURS}
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      if (node.data.trim() === "") continue;
      found.push({ what: node.data.trim(), ratio: contrast(colour(getComputedStyle(node.parentElement).color), behind(node.parentElement)) });
    }
    return found;
  })()`);
}

/** The edges of all buttons, and links that look like one, against the page. */
export function edgeContrasts(page: Page): Promise<readonly Contrast[]> {
  return page.evaluate<readonly Contrast[]>(`(() => {
    ${COLOURS}
    return [...document.querySelectorAll("button, .button")].map((element) => ({
      what: element.textContent,
      ratio: contrast(colour(getComputedStyle(element).borderTopColor), behind(element.parentElement)),
    }));
  })()`);
}

export interface Focus {
  readonly what: string;
  readonly outline: string;
  readonly widthPx: number;
  readonly ratio: number;
}

/** What has the focus and how it shows; undefined when it is nothing in the page. */
export function focus(page: Page): Promise<Focus | undefined> {
  return page.evaluate<Focus | undefined>(`(() => {
    ${COLOURS}
    const element = document.activeElement;
    if (element === null || element === document.body) return undefined;
    const style = getComputedStyle(element);
    return {
      what: element.textContent,
      outline: style.outlineStyle,
      widthPx: parseFloat(style.outlineWidth),
      ratio: contrast(colour(style.outlineColor), behind(element.parentElement)),
    };
  })()`);
}

/** WCAG 2.2, "relative luminance" and "contrast ratio"; the page itself has the system's canvas behind it. */
const COLOURS = `
  const probe = document.createElement("i");
  probe.style.backgroundColor = "Canvas";
  document.body.append(probe);
  const canvas = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const colour = (text) => {
    const [red, green, blue, alpha = 1] = text.match(/[\\d.]+/g).map(Number);
    if (!text.startsWith("rgb") || alpha !== 1 && alpha !== 0) throw new Error("cannot judge " + text);
    return { channels: [red, green, blue], isSeen: alpha === 1 };
  };
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.isSeen) return found;
    }
    return colour(canvas);
  };
  const luminance = ({ channels }) => {
    const [red, green, blue] = channels.map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [lighter, darker] = [luminance(one), luminance(other)].sort((left, right) => right - left);
    return (lighter + 0.05) / (darker + 0.05);
  };`;

/** Pixels around what has the focus before its parent's parent ends, on the side where they are fewest. */
export function roomAroundFocus(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const around = document.activeElement.parentElement.parentElement.getBoundingClientRect();
    return Math.min(...[...document.activeElement.getClientRects()].flatMap(({ left, top, right, bottom }) =>
      [left - around.left, top - around.top, around.right - right, around.bottom - bottom]));
  })()`);
}

/** What makes one button louder than another. */
export function weights(page: Page): Promise<readonly Readonly<Record<string, string | number>>[]> {
  return page.evaluate<readonly Readonly<Record<string, string | number>>[]>(`(() =>
    [...document.querySelectorAll("button")].map((element) => {
      const { width, height } = element.getBoundingClientRect();
      const { color, backgroundColor, border, boxShadow, fontSize, fontWeight, textDecoration } = getComputedStyle(element);
      const parts = element.childElementCount;
      return { parts, width, height, color, backgroundColor, border, boxShadow, fontSize, fontWeight, textDecoration };
    }))()`);
}

/** Horizontal middle of one character of the first element with this selector, in pixels. */
export function characterMiddle(page: Page, selector: string, index: number): Promise<number> {
  return page.evaluate<number>(`(() => {
    const range = document.createRange();
    const { firstChild } = document.querySelector(${JSON.stringify(selector)});
    range.setStart(firstChild, ${index});
    range.setEnd(firstChild, ${index + 1});
    const { left, width } = range.getBoundingClientRect();
    return left + width / 2;
  })()`);
}

/** Lines that the text of the first element with this selector takes. */
export function lineCount(page: Page, selector: string): Promise<number> {
  return page.evaluate<number>(`(() => {
    ${rangeOf(selector)}
    return new Set([...range.getClientRects()].map(({ top }) => top)).size;
  })()`);
}

/** Pixels between the text of the first element with this selector and the element's edges: above, below. */
export function roomAroundText(page: Page, selector: string): Promise<readonly [number, number]> {
  return page.evaluate<readonly [number, number]>(`(() => {
    ${rangeOf(selector)}
    const [text, edge] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
    return [text.top - edge.top, edge.bottom - text.bottom];
  })()`);
}

const rangeOf = (selector: string) => `
  const element = document.querySelector(${JSON.stringify(selector)});
  const range = document.createRange();
  range.selectNodeContents(element);`;
