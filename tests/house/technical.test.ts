// The numbers of TECHNICAL.md: limits against the code, and sums against arithmetic.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readText, rowsOf, sectionOf } from "./documents.ts";
import { readSources } from "./source.ts";

const technical = await readText("TECHNICAL.md");

const sources = await readSources();

/** The values that `const NAME = 5 * 1024;` has below a folder. */
function constantsOf(folder: string, name: string): number[] {
  const files = [...sources].filter(([path]) => `src/${path}`.startsWith(`${folder}/`));
  const found = files.flatMap(([, text]) => [...text.matchAll(new RegExp(`const ${name} = ([\\d_ *]+);`, "g"))]);
  return found.map(([, expression = ""]) =>
    expression.split("*").reduce((product, factor) => product * Number(factor.replaceAll("_", "")), 1),
  );
}

const limits = rowsOf(sectionOf(technical, "## Limits, and why")).slice(1);

test("DC-03: TECHNICAL.md states limits", () => assert.ok(limits.length > 12));

for (const [what = "", value = "", place = ""] of limits) {
  test(`DC-03: the limit of TECHNICAL.md, ${what || place}, is that of the code`, () => {
    const [, name = "", folder = ""] = /^`(\w+)` in `([^`]+)`$/.exec(place) ?? [];
    const [stated = ""] = /^[\d,]+/.exec(value) ?? [];
    const held = constantsOf(folder, name);
    assert.ok(held.includes(toNumber(stated)), `${name} below ${folder} is ${held.join(" or ") || "not there"}`);
  });
}

/** `a × b + c = d` with thousands separators; products before sums. */
function sums(text: string): { sum: string; left: number; right: number }[] {
  const found = text.matchAll(/((?:[\d,.]+ [×+÷] )+[\d,.]+) = ([\d,.]*\d)/g);
  return Array.from(found, ([sum, left = "", right = ""]) => ({ sum, left: evaluate(left), right: toNumber(right) }));
}

const toNumber = (text: string) => Number(text.replaceAll(",", ""));

function evaluate(expression: string): number {
  const products = expression.split(" + ").map((term) => {
    const [first = "", ...rest] = term.split(" × ");
    return rest.reduce((product, factor) => product * toNumber(factor), toNumber(first));
  });
  return products.reduce((total, product) => total + product, 0);
}

test("DC-03: every sum of TECHNICAL.md comes out", () => {
  const found = sums(sectionOf(technical, "## What it costs"));
  assert.ok(found.length > 15, `${found.length} sums`);
  assert.deepEqual(
    found.filter(({ left, right }) => Math.abs(left - right) > 0.005).map(({ sum, left }) => `${sum}, not ${left}`),
    [],
  );
});

test("self-check: a sum that is wrong is found", () => {
  const [wrong] = sums("| 1,000 × 2 + 5 = 2,006 |");
  assert.deepEqual([wrong?.left, wrong?.right], [2005, 2006]);
});

test("DC-03: the last column of a sum's row is its outcome", () => {
  const rows = rowsOf(sectionOf(technical, "## What it costs")).filter(([, arithmetic = ""]) =>
    / = [\d.]+$/.test(arithmetic),
  );
  const priced = rows.filter(([, , usd = ""]) => /^\d+\.\d\d$/.test(usd));
  assert.ok(priced.length > 5);
  for (const [, arithmetic = "", usd] of priced) assert.equal(arithmetic.split(" = ")[1], usd);
});
