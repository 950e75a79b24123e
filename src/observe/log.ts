import type { Level, LogEvent } from "./events.ts";

/** Writes one event as one line of JSON. */
export type Log = (event: LogEvent) => void;

const ORDER: readonly Level[] = ["DEBUG", "INFO", "WARN", "ERROR"];

export interface LogContext {
  readonly requestId: string;
  readonly clientType: string;
  readonly minimumLevel: Level;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
}

/** The only place that writes to the console. */
export function createLog(context: LogContext): Log {
  const minimum = ORDER.indexOf(context.minimumLevel);
  return (event) => {
    if (ORDER.indexOf(event.level) < minimum) return;
    const { level, message, ...fields } = event;
    const line = {
      timestamp: new Date(context.clock()).toISOString(),
      level,
      message,
      requestId: context.requestId,
      clientType: context.clientType,
      ...fields,
    };
    console.log(JSON.stringify(line));
  };
}

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
