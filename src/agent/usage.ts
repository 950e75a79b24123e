import type { EpochSeconds } from "../core/time.ts";

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

/** Counts one call. A call over the quota is counted in the total but not in its minute. Pure. */
export function countCall(usage: Usage | undefined, now: EpochSeconds): { usage: Usage; isOver: boolean } {
  const isSameWindow = usage !== undefined && now < usage.windowStartedAt + WINDOW_SECONDS;
  const before = isSameWindow ? usage.windowCalls : 0;
  const isOver = before >= CALLS_PER_MINUTE;
  return {
    isOver,
    usage: {
      calls: (usage?.calls ?? 0) + 1,
      lastCallAt: now,
      windowStartedAt: isSameWindow ? usage.windowStartedAt : now,
      windowCalls: isOver ? before : before + 1,
    },
  };
}

/** The fields of draft-ietf-httpapi-ratelimit-headers for this grant. */
export function quotaOf(usage: Usage, now: EpochSeconds) {
  return {
    limit: CALLS_PER_MINUTE,
    remaining: CALLS_PER_MINUTE - usage.windowCalls,
    resetSeconds: usage.windowStartedAt + WINDOW_SECONDS - now,
  };
}
