import { memoryLedger } from "@countersign/attest";
import type { Call, RunRef } from "@countersign/core";
import { type Events, type KubeConnection, listWatch, type Runs } from "@countersign/kube";
import { type Clock, systemClock } from "./clock.ts";
import type { Lane } from "./lane-queue.ts";
import type { InForce } from "./live-plan.ts";
import { ownWrites } from "./own-writes.ts";
import { patienceOf } from "./patience.ts";
import { isSettled, type Projection, projectionOf, sameState } from "./projection.ts";
import { type News, type ReconcileSettings, reconcileRun, type Surroundings } from "./reconcile-run.ts";
import { sentenceOf } from "./sentence.ts";
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
  readonly settings: () => ReconcileSettings;
  readonly telemetry: () => Telemetry;
  /** Told of what happened; the app's log. */
  readonly speak: (news: ControllerNews) => void;
  readonly clock?: Clock;
}

export type ControllerNews =
  | News
  | { readonly kind: "trouble"; readonly what: string; readonly error: unknown }
  | { readonly kind: "visit-failed"; readonly key: string; readonly error: unknown; readonly againInMs: number };

export interface Controller {
  /** Runs until the signal aborts; visits under way are finished first. */
  run(call: Call): Promise<void>;
  /** Key or configuration changed: what was on hold is tried again. */
  wake(): void;
  /** Both kinds were listed once. */
  readonly synced: boolean;
  readonly depth: number;
  readonly waiting: number;
  readonly held: number;
}

const kinds: readonly RunRef["kind"][] = ["TaskRun", "PipelineRun"];
const recentMs = 15 * 60_000;

/** Watches, queues names, visits. The queue and the store hold no run, only what the projection keeps. */
export function controller(options: ControllerOptions): Controller {
  const {
    connection,
    runs,
    events,
    inForce,
    namespaces,
    visitsAtOnce,
    watchIdleMs,
    settings,
    telemetry,
    speak,
    clock = systemClock,
  } = options;
  const store = new Map<string, Projection>();
  const foreign = new Set<string>();
  const heard = new Map<string, string[]>();
  const held = new Set<string>();
  const toldHolds = new Set<string>();
  const own = ownWrites();
  const patience = patienceOf(clock.now);
  const ledger = memoryLedger();
  const startedAt = clock.now();
  const toSync = new Set<string>();
  let stopping = new AbortController().signal;

  const work: Work = workOn({ concurrency: visitsAtOnce, visit, optionsOf: laneOf, afterThrow, clock });

  function laneOf(key: string): { id: string; lane: Lane; namespace: string; finishedAt: number } {
    const { ref, finishedAt = 0, done = false } = store.get(key) ?? {};
    const lane: Lane = !done || finishedAt >= startedAt ? "live" : clock.now() - finishedAt < recentMs ? "recent" : "backlog";
    return { id: key, lane, namespace: ref?.namespace ?? "", finishedAt };
  }

  function seen(next: Projection): void {
    const before = store.get(next.key);
    store.set(next.key, next);
    if (!next.done && isSettled(next) && !own.has(next.resourceVersion)) foreign.add(next.ref.uid);
    // Between an own write and its answer nobody can tell whose it is; the end of the visit can.
    if (work.isRunning(next.key)) heard.get(next.key)?.push(next.resourceVersion);
    else if (!own.has(next.resourceVersion) && !(before && sameState(before, next))) due(next);
    if (next.owner && store.get(next.owner)?.done) due(store.get(next.owner));
  }

  /** Only what a visit could have work for: most events of a cluster are about runs that are signed, or have long been seen. */
  function due(projection: Projection | undefined): void {
    if (!projection || (!work.isRunning(projection.key) && !hasWork(projection))) return;
    held.delete(projection.key);
    work.add(projection.key);
  }

  function hasWork(projection: Projection): boolean {
    if (!projection.done) return projection.finalizers.length === 0 || projection.deletedAt !== undefined;
    return !isSettled(projection) || projection.finalizers.length > 0 || foreign.has(projection.ref.uid);
  }

  function gone({ key, ref }: Projection): void {
    const owner = store.get(key)?.owner;
    store.delete(key);
    held.delete(key);
    foreign.delete(ref.uid);
    patience.forget(ref.uid);
    ledger.forget(ref.uid);
    if (owner) due(store.get(owner));
  }

  async function visit(key: string): Promise<Next> {
    const projection = store.get(key);
    const current = inForce();
    if (!projection || !current) return "settled";
    heard.set(key, []);
    try {
      return await reconcileRun(projection, surroundings(current), { signal: stopping });
    } finally {
      if (heard.get(key)?.some((version) => !own.has(version))) work.add(key);
      heard.delete(key);
    }
  }

  const surroundings = ({ plan, config }: InForce): Surroundings => ({
    runs,
    plan,
    managedBy: config.filter.managedBy,
    ledger,
    patience,
    own,
    observe: telemetry().observe,
    known: (key) => store.get(key),
    settings: settings(),
    now: clock.now,
    tell,
    isForeign: (uid) => foreign.has(uid),
  });

  function tell(news: News): void {
    const { ref } = news;
    const key = `${ref.kind}/${ref.namespace}/${ref.name}`;
    speak(news);
    if (news.kind === "signed") {
      foreign.delete(ref.uid);
      telemetry().signed(ref.kind, store.get(key)?.finishedAt ?? 0);
    }
    if (news.kind === "failed") {
      telemetry().failed(ref.kind, news.failures, news.final);
      if (news.final) foreign.delete(ref.uid);
      publish(ref, news.final ? "SigningFailed" : "InternalError", news.failures);
    }
    if (news.kind === "released") {
      telemetry().released();
      post(
        ref,
        "FinalizerReleased",
        `the deletion waited ${Math.round(news.waitedMs / 1000)} s for an attestation that could not be made; the finalizer was taken off, the run stays unsigned`,
      );
    }
    if (news.kind === "held") {
      held.add(key);
      telemetry().failed(ref.kind, news.failures, false);
      for (const { route, failures } of news.outcomes) {
        // One Event for a route, not one for each run that waits behind it.
        const fresh = failures.filter((failure) => !toldHolds.has(`${route} ${sentenceOf(failure)}`));
        for (const failure of fresh) toldHolds.add(`${route} ${sentenceOf(failure)}`);
        if (fresh.length > 0) publish(ref, "InternalError", fresh);
      }
    }
  }

  function publish(ref: RunRef, reason: string, failures: readonly unknown[]): void {
    for (const sentence of new Set(failures.map(sentenceOf))) post(ref, reason, sentence);
  }

  function post(run: RunRef, reason: string, message: string): void {
    events
      .tell({ run, type: "Warning", reason, message }, { signal: stopping })
      .catch((error: unknown) => speak({ kind: "trouble", what: "an Event could not be written", error }));
  }

  /** The cluster itself failed: nothing is counted, the visit comes again. */
  function afterThrow(key: string, error: unknown): number {
    const ref = store.get(key)?.ref;
    const againInMs = patience.next(ref?.uid ?? key, "wait", [error], undefined);
    if (stopping.aborted) return againInMs;
    speak({ kind: "visit-failed", key, error, againInMs });
    if (ref) {
      telemetry().failed(ref.kind, [error], false);
      publish(ref, "InternalError", [error]);
    }
    return againInMs;
  }

  function watchOf(kind: RunRef["kind"], namespace: string | undefined, call: Call): Promise<void> {
    const resource = kind === "TaskRun" ? "taskruns" : "pipelineruns";
    const folder = `${kind}/${namespace ? `${namespace}/` : ""}`;
    toSync.add(folder);
    return listWatch(
      {
        connection,
        resource,
        path: `/apis/tekton.dev/v1/${namespace ? `namespaces/${encodeURIComponent(namespace)}/` : ""}${resource}`,
        project: (object) => projectionOf(kind, object),
        keyOf: ({ key }) => key,
        ...(watchIdleMs && { idleMs: watchIdleMs }),
        listener: {
          seen,
          gone,
          listed(keys) {
            for (const [key, projection] of store) if (key.startsWith(folder) && !keys.has(key)) gone(projection);
            toSync.delete(folder);
            begin();
          },
          trouble: (error) => speak({ kind: "trouble", what: `the watch on ${resource} is interrupted`, error }),
        },
      },
      call,
    );
  }

  /** A PipelineRun is judged by its children, so nobody is visited before both kinds are known and a plan is in force. */
  function begin(): void {
    if (toSync.size === 0 && inForce()) work.start();
  }

  return {
    async run({ signal }) {
      stopping = signal;
      const folders = namespaces.length > 0 ? namespaces : [undefined];
      await Promise.all(folders.flatMap((namespace) => kinds.map((kind) => watchOf(kind, namespace, { signal }))));
      await work.stop();
    },
    wake() {
      begin();
      toldHolds.clear();
      for (const key of [...held]) due(store.get(key));
      held.clear();
    },
    get synced() {
      return toSync.size === 0;
    },
    get depth() {
      return work.size;
    },
    get waiting() {
      return work.waiting;
    },
    get held() {
      return held.size;
    },
  };
}
