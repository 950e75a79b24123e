import assert from "node:assert/strict";
import { test } from "node:test";
import { clipText, hasControlCharacters, titleOf } from "../../src/core/text.ts";

const CONTROLS = [
  ["a line feed", "\n"],
  ["NUL", "\u0000"],
  ["DEL", "\u007f"],
  ["C1", "\u0085"],
  ["a line separator", "\u2028"],
  ["a right-to-left override", "\u202e"],
  ["an isolate", "\u2066"],
] as const;

for (const [name, character] of CONTROLS) {
  test(`AP-04: ${name} is a control character`, () => assert.equal(hasControlCharacters(`a${character}b`), true));
}

test("AP-04: letters of any script, signs and emoji are no control characters", () => {
  assert.equal(hasControlCharacters("Ärger & 日本語 <b> 👩‍💻"), false);
});

test("clipText never cuts a surrogate pair", () => assert.equal(clipText("ab😀cd", 3), "ab"));

test("clipText keeps a pair that fits", () => assert.equal(clipText("ab😀cd", 4), "ab😀"));

test("clipText leaves a short text alone", () => assert.equal(clipText("ab😀", 4), "ab😀"));

test("clipText to nothing is empty", () => assert.equal(clipText("😀", 0), ""));

test("titleOf writes the words of a name apart", () => assert.equal(titleOf("replyToEmail"), "Reply To Email"));
