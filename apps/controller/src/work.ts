import PQueue from "p-queue";
import { type Clock, systemClock } from "./clock.ts";
import { type LaneOptions, LaneQueue } from "./lane-queue.ts";

/** What a visit asks for next. */
export type Next = "settled" | { readonly againInMs: number };

export interface WorkOptions {
  readonly concurrency: number;
  /** Never throws for a run's own failure; what it throws is retried like an outage. */
  readonly visit: (key: string) => Promise<Next>;
  readonly optionsOf: (key: string) => LaneOptions;
  /** A visit that threw: how long until the next. */
  readonly afterThrow: (key: string, error: unknown) => number;
  readonly clock?: Clock;
  readonly watcher?: WorkWatcher;
}

/** Sees the queue; metrics hang here. */
export interface WorkWatcher {
  queued(key: string): void;
  /** It waits for its next try. */
  retried(key: string): void;
  started(key: string, queuedMs: number): void;
  ended(key: string, tookMs: number): void;
}

/** Keys to visit. Ten events for a key are one visit; a key is never visited twice at a time. */
export interface Work {
  /** Visit it soon; a wait for its next try ends. */
  add(key: string): void;
  isRunning(key: string): boolean;
  /** Those for which it holds need not wait for their next try any longer. */
  wake(which: (key: string) => boolean): void;
  /** Under way just now. */
  readonly running: Iterable<string>;
  /** Keys that wait for their next try. */
  readonly waiting: number;
  /** Keys queued or being visited. */
  readonly size: number;
  start(): void;
  /** Takes no more, drops what is queued, resolves when the visits under way are over. */
  stop(): Promise<void>;
}

export function workOn({ concurrency, visit, optionsOf, afterThrow, clock = systemClock, watcher }: WorkOptions): Work {
  const queue = new PQueue<LaneQueue, LaneOptions>({ concurrency, queueClass: LaneQueue as never, autoStart: false });
  const queued = new Set<string>();
  const running = new Set<string>();
  const again = new Set<string>();
  const timers = new Map<string, () => void>();
  const over = Promise.withResolvers<void>();
  let stopped = false;

  function add(key: string): void {
    if (stopped) return;
    timers.get(key)?.();
    timers.delete(key);
    if (running.has(key)) again.add(key);
    else if (!queued.has(key)) {
      queued.add(key);
      watcher?.queued(key);
      const since = clock.now();
      void queue.add(() => run(key, since), optionsOf(key) as never);
    }
  }

  async function run(key: string, since: number): Promise<void> {
    queued.delete(key);
    if (stopped) return;
    running.add(key);
    const begun = clock.now();
    watcher?.started(key, begun - since);
    try {
      const next = await visit(key).catch((error: unknown) => ({ againInMs: afterThrow(key, error) }));
      if (next !== "settled" && !again.has(key) && !stopped) comeBack(key, next.againInMs);
    } finally {
      running.delete(key);
      watcher?.ended(key, clock.now() - begun);
      if (again.delete(key)) add(key);
      if (stopped && running.size === 0) over.resolve();
    }
  }

  function comeBack(key: string, ms: number): void {
    watcher?.retried(key);
    const cancel = clock.after(ms, () => add(key));
    timers.set(key, cancel);
  }

  return {
    add,
    isRunning: (key) => running.has(key),
    wake(which) {
      for (const key of [...timers.keys()]) if (which(key)) add(key);
    },
    running,
    get waiting() {
      return timers.size;
    },
    get size() {
      return queue.size + running.size;
    },
    start: () => void queue.start(),
    async stop() {
      stopped = true;
      for (const cancel of timers.values()) cancel();
      timers.clear();
      queue.clear();
      queue.pause();
      if (running.size > 0) await over.promise;
    },
  };
}
