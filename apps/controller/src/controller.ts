import { type Ledger, memoryLedger } from "@countersign/attest";
import type { Call } from "@countersign/core";
import type { Events, KubeConnection, Runs } from "@countersign/kube";
import { type Clock, systemClock } from "./clock.ts";
import { holdsOn } from "./holds.ts";
import type { Lane } from "./lane-queue.ts";
import type { InForce } from "./live-plan.ts";
import { ownWrites } from "./own-writes.ts";
import { patienceOf } from "./patience.ts";
import { isSettled, keyOf, type Projection, sameBesidesMarks, sameState } from "./projection.ts";
import { reconcileRun } from "./reconcile-run.ts";
import { recoveries } from "./recoveries.ts";
import { runEvents } from "./run-events.ts";
import { runWatches } from "./run-watches.ts";
import type { News, ReconcileSettings, Surroundings } from "./surroundings.ts";
import type { Telemetry } from "./telemetry.ts";
import { type Next, type Work, workOn } from "./work.ts";

export interface ControllerOptions {
  readonly connection: KubeConnection;
  readonly runs: Runs;
  readonly events: Events;
  /** Configuration and plan; undefined: there is none yet, and nobody is visited. */
  readonly inForce: () => InForce | undefined;
  /** None: the whole cluster. */
  readonly namespaces: readonly string[];
  readonly visitsAtOnce: number;
  readonly watchIdleMs?: number;
  /** How long visits under way may go on after the signal. Default 8 s: a Pod has 30 s to end. */
  readonly graceMs?: number;
  readonly settings: () => ReconcileSettings;
  readonly telemetry: () => Telemetry;
  /** Told of what happened; the app's log. */
  readonly speak: (news: ControllerNews) => void;
  readonly clock?: Clock;
  /** What signatures are remembered in between two tries. */
  readonly ledger?: Ledger;
}

export type ControllerNews =
  | News
  | { readonly kind: "trouble"; readonly what: string; readonly error: unknown }
  | { readonly kind: "visit-failed"; readonly key: string; readonly error: unknown; readonly againInMs: number };

export interface Controller {
  /** Runs until the signal aborts. Visits under way are finished, unless they take longer than the grace. */
  run(call: Call): Promise<void>;
  /** Key or configuration changed: what was on hold is tried again. */
  wake(): void;
  /** A registry, log or authority answers again: who waits for the end of an outage is visited now, as fast as the workers can. */
  recovered(): void;
  /** Both kinds were listed once. */
  readonly synced: boolean;
  readonly depth: number;
  readonly waiting: number;
  readonly held: number;
}

const recentMs = 15 * 60_000;

/** Watches, queues names, visits. The queue and the store hold no run, only what the projection keeps. */
export function controller(options: ControllerOptions): Controller {
  const { connection, runs, events, inForce, namespaces, visitsAtOnce, watchIdleMs } = options;
  const { graceMs = 8_000, settings, telemetry, speak, clock = systemClock, ledger = memoryLedger() } = options;
  const store = new Map<string, Projection>();
  const foreign = new Set<string>();
  const heard = new Map<string, string[]>();
  const holds = holdsOn();
  /** Visits that began before key or configuration changed: their verdict is about the old ones. */
  const outdated = new Set<string>();
  const own = ownWrites();
  const patience = patienceOf(clock.now);
  const startedAt = clock.now();
  /** What visits under way are cut off with. */
  const cut = new AbortController();
  let stopping = cut.signal;

  const work: Work = workOn({
    ...{ concurrency: visitsAtOnce, visit, optionsOf: laneOf, afterThrow, clock },
    watcher: {
      queued: (key) => telemetry().queue.queued(key),
      retried: (key) => telemetry().queue.retried(key),
      started: (key, ms) => telemetry().queue.started(key, ms),
      ended: (key, ms) => telemetry().queue.ended(key, ms),
    },
  });

  const atRun = runEvents(events, cut.signal, (error) => {
    if (!stopping.aborted) speak({ kind: "trouble", what: "an Event could not be written", error });
  });
  const watches = runWatches({
    ...{ connection, namespaces, idleMs: watchIdleMs, seen, gone, listed: begin },
    known: () => store.values(),
    trouble: (what, error) => speak({ kind: "trouble", what, error }),
  });

  function laneOf(key: string): { id: string; lane: Lane; namespace: string; finishedAt: number } {
    const { ref, finishedAt = 0, done = false } = store.get(key) ?? {};
    const lane: Lane = !done || finishedAt >= startedAt ? "live" : clock.now() - finishedAt < recentMs ? "recent" : "backlog";
    return { id: key, lane, namespace: ref?.namespace ?? "", finishedAt };
  }

  function seen(next: Projection): void {
    const before = store.get(next.key);
    store.set(next.key, next);
    if (before && before.ref.uid !== next.ref.uid) forget(before);
    const changed = !(before && sameState(before, next));
    if (!next.done && isSettled(next) && !own.has(next.resourceVersion)) foreign.add(next.ref.uid);
    // A new list may show our write and, below it, somebody else's that no event told of.
    const version = before && sameBesidesMarks(before, next) ? next.resourceVersion : "";
    // Between an own write and its answer nobody can tell whose it is; the end of the visit can.
    if (changed && work.isRunning(next.key)) heard.get(next.key)?.push(version);
    else if (changed && !own.has(version)) due(next);
    if (changed && next.owner && store.get(next.owner)?.done) due(store.get(next.owner));
  }

  /** Only what a visit could have work for: most events of a cluster are about runs that are signed, or have long been seen. */
  function due(projection: Projection | undefined): void {
    if (!projection || (!work.isRunning(projection.key) && !hasWork(projection))) return;
    holds.delete(projection.key);
    work.add(projection.key);
  }

  function hasWork(projection: Projection): boolean {
    if (!projection.done) return projection.finalizers.length === 0 || projection.deletedAt !== undefined;
    return !isSettled(projection) || projection.finalizers.length > 0 || foreign.has(projection.ref.uid);
  }

  function gone(projection: Projection): void {
    const { key } = projection;
    const owner = store.get(key)?.owner;
    store.delete(key);
    holds.delete(key);
    forget(projection);
    if (owner) due(store.get(owner));
  }

  function forget({ ref: { uid } }: Projection): void {
    foreign.delete(uid);
    patience.forget(uid);
    ledger.forget(uid);
  }

  async function visit(key: string): Promise<Next> {
    const projection = store.get(key);
    const current = inForce();
    if (!projection || !current) return "settled";
    heard.set(key, []);
    try {
      return await reconcileRun(projection, surroundings(current), { signal: cut.signal });
    } finally {
      if (heard.get(key)?.some((version) => !own.has(version))) work.add(key);
      heard.delete(key);
      outdated.delete(key);
    }
  }

  const surroundings = ({ plan, config }: InForce): Surroundings => ({
    ...{ runs, plan, ledger, patience, own, tell, recovered },
    managedBy: config.filter.managedBy,
    observe: telemetry().observe,
    known: (key) => store.get(key),
    settings: settings(),
    now: clock.now,
    count: ({ kind }, outcomes) => telemetry().attested(kind, outcomes),
    isForeign: (uid) => foreign.has(uid),
  });

  function tell(news: News): void {
    const { ref } = news;
    const key = keyOf(ref);
    speak(news);
    if (news.kind === "signed") {
      foreign.delete(ref.uid);
      telemetry().signed(ref.kind, store.get(key)?.finishedAt ?? 0);
    }
    if (news.kind === "failed") {
      telemetry().failed(ref.kind, news.failures, news.final);
      if (news.final) foreign.delete(ref.uid);
      atRun.failed(ref, news.final ? "SigningFailed" : "InternalError", news.failures);
    }
    if (news.kind === "released") {
      telemetry().released();
      atRun.released(ref, news.waitedMs);
    }
    if (news.kind === "held") {
      telemetry().failed(ref.kind, news.failures, false);
      if (outdated.has(key)) work.add(key);
      else if (store.has(key)) atRun.failed(ref, "InternalError", holds.add(key, news.outcomes));
    }
  }

  /** The cluster itself failed: nothing is counted, the visit comes again. */
  function afterThrow(key: string, error: unknown): number {
    const ref = store.get(key)?.ref;
    const againInMs = patience.next(ref?.uid ?? key, "wait", [error], undefined);
    if (cut.signal.aborted) return againInMs;
    speak({ kind: "visit-failed", key, error, againInMs });
    if (ref) {
      telemetry().failed(ref.kind, [error], false);
      atRun.failed(ref, "InternalError", [error]);
    }
    return againInMs;
  }

  const recovered = recoveries(clock, () => work.wake((key) => patience.failingSince(store.get(key)?.ref.uid ?? key) !== undefined));

  /** A PipelineRun is judged by its children, so nobody is visited before both kinds are known and a plan is in force. */
  function begin(): void {
    if (watches.synced && inForce()) work.start();
  }

  return {
    async run({ signal }) {
      stopping = signal;
      await watches.run({ signal });
      const late = Promise.withResolvers<void>();
      const cancel = clock.after(graceMs, () => {
        cut.abort();
        // Aborts are prompt; a plug-in of a stranger that does not listen is left behind.
        clock.after(500, late.resolve);
      });
      await Promise.race([work.stop(), late.promise]);
      cancel();
    },
    wake() {
      begin();
      for (const key of work.running) outdated.add(key);
      for (const key of holds.release()) due(store.get(key));
    },
    recovered,
    get synced() {
      return watches.synced;
    },
    get depth() {
      return work.size;
    },
    get waiting() {
      return work.waiting;
    },
    get held() {
      return holds.size;
    },
  };
}
