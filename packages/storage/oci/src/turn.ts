/**
 * One at a time for each key. The queue belongs to the process, not to a backend: two configurations may be in force at once, while the
 * visits of the old one end.
 */
const tails = new Map<string, Promise<unknown>>();

/** Runs `work` when everybody before it is done, however they fared. An abort while waiting rejects at once, and the work is left out. */
export async function turn<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const before = tails.get(key) ?? Promise.resolve();
  const mine = before.then(async () => {
    signal.throwIfAborted();
    return work();
  });
  const tail = mine.catch(() => undefined);
  tails.set(key, tail);
  void tail.then(() => tails.get(key) === tail && tails.delete(key));
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await Promise.race([mine, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** How many keys have somebody at work or waiting. */
export const turnsTaken = (): number => tails.size;
