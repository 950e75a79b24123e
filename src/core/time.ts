/** Seconds since the epoch. Only `worker.ts` and `agent/` read the clock; everybody else is told. */
export type EpochSeconds = number & { readonly __unit: "epoch seconds" };

export function epochSeconds(milliseconds: number): EpochSeconds {
  return Math.floor(milliseconds / 1000) as EpochSeconds;
}

export function addSeconds(time: EpochSeconds, seconds: number): EpochSeconds {
  return (time + seconds) as EpochSeconds;
}

export function earlier(left: EpochSeconds, right: EpochSeconds): EpochSeconds {
  return left < right ? left : right;
}

export function later(left: EpochSeconds, right: EpochSeconds): EpochSeconds {
  return left > right ? left : right;
}
