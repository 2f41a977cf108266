import type { Logger } from "./log.ts";
import { sentenceOf } from "./sentence.ts";

type Process = Pick<NodeJS.Process, "on" | "exit">;

/** First signal: finish the visits under way. Second: at once. */
export function stopOnSignal(log: Logger, host: Process = process): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const)
    host.on(name, () => {
      if (stop.signal.aborted) return host.exit(1);
      log.info({ signal: name }, "stopping");
      stop.abort();
    });
  return stop.signal;
}

/** What nobody caught is a bug, and nobody knows what still holds: the process ends, and whoever started it starts it anew. */
export function endOnBug(log: Logger, host: Process = process): void {
  const end = (error: unknown): void => {
    log.fatal({ reason: sentenceOf(error) }, "ended by an exception that nobody expected");
    host.exit(1);
  };
  host.on("uncaughtException", end);
  host.on("unhandledRejection", end);
}
