/** Fits every port that asks for now() and after(). */
export interface FakeClock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once; the answer cancels. */
  after(ms: number, then: () => void): () => void;
  /** Resolves when so much time was moved; rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Moves time and runs what falls due, in order, each at its own moment, with the promises it wakes. */
  advance(ms: number): Promise<void>;
  /** When the next thing falls due; undefined when nothing waits. */
  next(): number | undefined;
}

type Due = readonly [id: number, { readonly at: number; readonly then: () => void }];

/** Time that only a test moves. */
export function fakeClock(start: number = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  let order = 0;
  const waiting = new Map<number, { readonly at: number; readonly then: () => void }>();
  /** The first of those that fall due first: a map keeps the order in which they came. */
  function due(until: number): Due | undefined {
    let first: Due | undefined;
    for (const one of waiting) if (one[1].at <= until && (!first || one[1].at < first[1].at)) first = one;
    return first;
  }

  function after(ms: number, then: () => void): () => void {
    order += 1;
    const id = order;
    waiting.set(id, { at: now + Math.max(0, ms), then });
    return () => void waiting.delete(id);
  }

  return {
    now: () => now,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const cancel = after(ms, resolve);
        signal?.addEventListener("abort", () => {
          cancel();
          reject(signal.reason);
        });
      }),
    next: () => due(Number.POSITIVE_INFINITY)?.[1].at,
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (let first = due(until); first; first = due(until)) {
        const [id, { at, then }] = first;
        waiting.delete(id);
        now = Math.max(now, at);
        then();
        await settle();
      }
      now = until;
    },
  };
}

/** One turn of the event loop runs every promise that is already decided. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
