import type { Call } from "@countersign/core";

/** One question for all who ask while it is under way. One who leaves disturbs nobody; when the last has left, the question is given up. */
export function oneFlight<T>(ask: (call: Call) => Promise<T>): (call: Call) => Promise<T> {
  let flight: { readonly answer: Promise<T>; readonly stop: AbortController; waiting: number } | undefined;

  return async ({ signal }) => {
    signal.throwIfAborted();
    flight ??= begun();
    const mine = flight;
    mine.waiting += 1;
    const left = Promise.withResolvers<never>();
    const onAbort = (): void => left.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([mine.answer, left.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
      mine.waiting -= 1;
      if (mine.waiting === 0) {
        if (flight === mine) flight = undefined;
        mine.stop.abort();
      }
    }
  };

  function begun(): NonNullable<typeof flight> {
    const stop = new AbortController();
    const answer = ask({ signal: stop.signal });
    answer.catch(() => undefined); // those who wait hear of it
    return { answer, stop, waiting: 0 };
  }
}
