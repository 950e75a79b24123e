// ER-03: what a failed call says of what it may have done.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failure } from "../../src/graph/failure.ts";
import { failureResult } from "../../src/tools/result.ts";
import { sendEmail } from "../../src/tools/send-email.ts";

const shown = (isUncertain?: boolean) => {
  const failed = failure("graph_timeout", isUncertain === undefined ? {} : { isUncertain });
  const { content, structuredContent } = failureResult(sendEmail, failed, "id-1");
  return [structuredContent.error?.retryable, content[0]?.text];
};

test("ER-03: a send that only waited in our own queue was not done, and may be repeated", () => {
  const text =
    "sendEmail failed: no answer came in time. Context: sendEmail, request id id-1. Troubleshooting: Try again after 60 seconds.";
  assert.deepEqual(shown(), [true, text]);
});

test("ER-03: a send that was sent and not answered may have been done", () => {
  const text =
    "sendEmail failed: no answer came in time. Context: sendEmail, request id id-1. Troubleshooting: It may have been done: check before repeating.";
  assert.deepEqual(shown(true), [false, text]);
});
