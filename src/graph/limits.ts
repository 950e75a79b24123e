/** What bounds the traffic with Graph. */

/** A person waits for a read; a write may take Exchange a little longer. */
export const READ_DEADLINE_MS = 15_000;
export const WRITE_DEADLINE_MS = 30_000;
export const MAX_ATTEMPTS = 3;
/** From the first attempt to the last; whoever would have to wait longer is told so instead. */
export const RETRY_BUDGET_MS = 10_000;
/** Doubled before each further attempt, of which there are too few for it to grow beyond two seconds. */
export const FIRST_WAIT_MS = 1000;
/** Fifty mails with long bodies; beyond this an answer is no use to a model. */
export const MAX_ANSWER_BYTES = 5_242_880;
/** Graph: throttling, Outlook runs four requests of an app on one mailbox at a time. */
export const MAX_IN_FLIGHT = 4;
/** So many unavailable answers in a row, and Microsoft is left alone for a while. */
export const MAX_FAILURES = 5;
export const PAUSE_MS = 30_000;
/** Longer than any id of Outlook or Teams. */
export const MAX_SEGMENT_LENGTH = 1024;
