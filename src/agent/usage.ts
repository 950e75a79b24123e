import type { EpochSeconds } from "../core/time.ts";
import type { Quota } from "../http/rate-limit.ts";

/** What one grant has done. */
export interface Usage {
  readonly calls: number;
  readonly lastCallAt: EpochSeconds;
  /** The current minute and the calls in it. */
  readonly windowStartedAt: EpochSeconds;
  readonly windowCalls: number;
}

/** Far above what a person's assistant needs, far below what hurts. */
export const CALLS_PER_MINUTE = 300;
const WINDOW_SECONDS = 60;

interface Counted {
  readonly usage: Usage;
  readonly isOver: boolean;
  /** The first one over in its minute. */
  readonly isFirstOver: boolean;
  readonly quota: Quota;
}

/** Counts one call. Of the calls over the quota all are counted in the total and one in its minute. Pure. */
export function countCall(before: Usage | undefined, now: EpochSeconds): Counted {
  const isSameWindow = before !== undefined && now < before.windowStartedAt + WINDOW_SECONDS;
  const windowStartedAt = isSameWindow ? before.windowStartedAt : now;
  const earlierCalls = isSameWindow ? before.windowCalls : 0;
  const windowCalls = Math.min(earlierCalls + 1, CALLS_PER_MINUTE + 1);
  return {
    usage: { calls: (before?.calls ?? 0) + 1, lastCallAt: now, windowStartedAt, windowCalls },
    isOver: windowCalls > CALLS_PER_MINUTE,
    isFirstOver: earlierCalls === CALLS_PER_MINUTE,
    quota: {
      limit: CALLS_PER_MINUTE,
      remaining: Math.max(0, CALLS_PER_MINUTE - windowCalls),
      resetSeconds: windowStartedAt + WINDOW_SECONDS - now,
    },
  };
}
