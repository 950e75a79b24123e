import type { Result } from "../core/result.ts";
import { failure, type GraphFailure, isAway } from "./failure.ts";
import { MAX_FAILURES, MAX_IN_FLIGHT, PAUSE_MS } from "./limits.ts";

/** What one grant remembers of its way to Graph: how busy it is, and how often in a row it found nobody. */
export class Traffic {
  #inFlight = 0;
  readonly #queue = new Set<() => void>();
  #failures = 0;
  #pausedUntilMs = 0;

  isPaused(nowMs: number): boolean {
    return nowMs < this.#pausedUntilMs;
  }

  /** Waits for its turn, at most until `late` comes. Where nothing is returned the caller owes a `leave`. */
  async enter(nowMs: number, late: () => Promise<unknown>): Promise<GraphFailure | undefined> {
    if (this.isPaused(nowMs)) {
      return failure("graph_unavailable", { retryAfterSeconds: Math.ceil((this.#pausedUntilMs - nowMs) / 1000) });
    }
    if (this.#inFlight < MAX_IN_FLIGHT) {
      this.#inFlight += 1;
      return undefined;
    }
    let admit = () => {};
    const turn = new Promise<void>((resolve) => {
      admit = resolve;
    });
    this.#queue.add(admit);
    await Promise.race([turn, late()]);
    return this.#queue.delete(admit) ? failure("graph_timeout") : undefined;
  }

  /** Hands the place on to whoever waits longest. */
  leave(result: Result<unknown, GraphFailure>, nowMs: number): void {
    const [next] = this.#queue;
    if (next === undefined) this.#inFlight -= 1;
    else {
      this.#queue.delete(next);
      next();
    }
    this.#failures = !result.ok && isAway(result.error) ? this.#failures + 1 : 0;
    if (this.#failures >= MAX_FAILURES) this.#pausedUntilMs = nowMs + PAUSE_MS;
  }
}
