import { LEVELS } from "../config.ts";
import type { Level, LogEvent } from "./events.ts";

/** Writes one event as one line of JSON. */
export type Log = (event: LogEvent) => void;

export interface LogContext {
  readonly requestId: string;
  readonly clientType: string;
  readonly minimumLevel: Level;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The only place that writes to the console. */
export function createLog({ requestId, clientType, minimumLevel, clock }: LogContext): Log {
  return (event) => {
    if (LEVELS.indexOf(event.level) < LEVELS.indexOf(minimumLevel)) return;
    // LG-01: the fields of every line stand in one order; `error` or `metadata` comes last.
    const { level, message, userId, tool, durationMs, status, code, context, ...last } = event;
    const timestamp = new Date(clock()).toISOString();
    const fields = { userId, tool, durationMs, status, code, context, ...last };
    console.log(JSON.stringify({ timestamp, level, message, requestId, clientType, ...fields }));
  };
}

/** Logs what should not have happened. */
export const faultsTo = (log: Log) => (error: unknown) =>
  log({ level: "ERROR", message: "unexpected fault", error: describeFault(error) });

/**
 * What of an unexpected error may be logged: its class and where it was thrown, never its message, which may quote
 * anything.
 */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const stack = error.stack ?? "";
  const frames = stack
    .slice(stack.indexOf(error.message) + error.message.length)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 5).map((line) => line.trim())].join(" ");
}
