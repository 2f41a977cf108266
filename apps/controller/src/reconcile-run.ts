import { attestRun, failuresOf, type Ledger, type Observer, type Outcome } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import { type Annotations, type Call, CountersignError, type Plan, type Retry, type RunRef, retryOf } from "@countersign/core";
import { backOffMs, type Runs } from "@countersign/kube";
import { parseRun, type Run } from "@countersign/tekton";
import { assertFits, marksOf, mildestOf, ours, storedAnnotations } from "./marks.ts";
import type { OwnWrites } from "./own-writes.ts";
import { finalizerOf, isSettled, type Projection } from "./projection.ts";
import type { Next } from "./work.ts";

export interface Surroundings {
  readonly runs: Runs;
  /** The plan in force; a visit takes it once and keeps it to its end. */
  readonly plan: () => Plan<Run>;
  readonly ledger: Ledger;
  readonly own: OwnWrites;
  readonly observe: Observer;
  /** What the watch knows of another run. */
  readonly known: (key: string) => Projection | undefined;
  /** spec.managedBy values that are ours beside Tekton's own. */
  readonly managedBy: () => ReadonlySet<string>;
  readonly settings: ReconcileSettings;
  readonly now: () => number;
  /** Told of each visit that came to something. */
  readonly tell: (news: News) => void;
  /** A mark seen before the run was done: somebody else wrote it. */
  readonly isForeign: (uid: string) => boolean;
}

export interface ReconcileSettings {
  readonly keepFinalizer: boolean;
  readonly finalizerDeadlineMs: number;
  /** How long an outage may last until it is counted; Infinity: for ever. */
  readonly transientDeadlineMs: number;
}

export type News =
  | { readonly kind: "signed"; readonly ref: RunRef; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "failed"; readonly ref: RunRef; readonly failures: readonly unknown[]; readonly final: boolean }
  | { readonly kind: "held"; readonly ref: RunRef; readonly outcomes: readonly Outcome[]; readonly failures: readonly unknown[] }
  | { readonly kind: "released"; readonly ref: RunRef; readonly waitedMs: number };

/** Looks after the failures of runs between two visits. */
export interface Patience {
  /** How long until the next visit after this failure, and since when the run fails. */
  next(uid: string, retry: Retry, failures: readonly unknown[], retries: string | undefined): number;
  /** Since when this run meets nothing but outages; undefined: it does not. */
  failingSince(uid: string): number | undefined;
  forget(uid: string): void;
}

/** One visit to one run: at most one GET, one apply, and our finalizer on or off. */
export async function reconcileRun(seen: Projection, patience: Patience, house: Surroundings, call: Call): Promise<Next> {
  const { settings } = house;
  if (!isOurs(seen.managedBy, house)) return "settled";
  if (!seen.done) return guard(seen, house, call);
  if (isSettled(seen) && !house.isForeign(seen.ref.uid))
    return settings.keepFinalizer && seen.deletedAt === undefined ? "settled" : letGo(seen.ref, seen.finalizers, house, call);

  const overdue = overdueSince(seen, house);
  if (overdue !== undefined) {
    house.tell({ kind: "released", ref: seen.ref, waitedMs: overdue });
    return letGo(seen.ref, seen.finalizers, house, call);
  }
  const waits = childrenToWaitFor(seen, house);
  if (waits.length > 0)
    return seen.deletedAt === undefined ? "settled" : { againInMs: settings.finalizerDeadlineMs - (house.now() - seen.deletedAt) };

  const run = await fetched(seen, house, call);
  if (run === "gone") return "settled";
  if (run === "not yet") return { againInMs: 5_000 };
  const foreign = house.isForeign(run.ref.uid);
  if (!run.done || (isSettled({ signed: run.annotations[`${annotationPrefix}signed`] }) && !foreign)) return "settled";
  return attested(run, seen, patience, house, call);
}

async function attested(run: Run, seen: Projection, patience: Patience, house: Surroundings, call: Call): Promise<Next> {
  const { ref } = run;
  const report = await attestRun(run, house.plan()(run), { signal: call.signal, ledger: house.ledger, observe: house.observe });
  const failures = [...failuresOf(report)];
  let stored = { ...storedAnnotations(report), ...omittedChildren(run) };
  try {
    assertFits(run.annotations, stored);
  } catch (tooLarge) {
    failures.push(tooLarge);
    stored = {};
  }
  const mildest = countedAtLast(mildestOf(failures), ref.uid, patience, house);
  const marks = marksOf(run.annotations, mildest);
  // While a route is on hold the others are written down: they are done, and nobody knows for how long the hold lasts.
  if (!marks && !(mildest === "hold" && addsTo(run.annotations, stored))) return put(off());

  const wanted = { ...ours(run.annotations), ...stored, ...marks };
  if (mildest === undefined && house.isForeign(ref.uid)) delete wanted[`${annotationPrefix}retries`];
  const answer = await annotate(ref, wanted, house, call);
  if (answer === "gone") return forget();
  const lost = Object.entries(wanted).find(([key, value]) => answer[key] !== value);
  if (lost) return withdraw(wanted, lost[0]);
  if (!marks || !isSettled({ signed: marks[`${annotationPrefix}signed`] })) return put(off());
  house.tell(mildest === undefined ? { kind: "signed", ref, outcomes: report.outcomes } : { kind: "failed", ref, failures, final: true });
  forget();
  return settled();

  function off(): Retry {
    return mildest ?? "counted";
  }
  function put(retry: Retry): Next {
    if (retry === "hold") house.tell({ kind: "held", ref, outcomes: report.outcomes, failures });
    else house.tell({ kind: "failed", ref, failures, final: false });
    if (retry === "hold") return "settled"; // woken when key or configuration change
    const againInMs = patience.next(ref.uid, retry, failures, marks?.[`${annotationPrefix}retries`]);
    return {
      againInMs:
        seen.deletedAt === undefined ? againInMs : Math.min(againInMs, seen.deletedAt + house.settings.finalizerDeadlineMs - house.now()),
    };
  }
  function forget(): Next {
    house.ledger.forget(ref.uid);
    patience.forget(ref.uid);
    return "settled";
  }
  function settled(): Promise<Next> | Next {
    if (house.settings.keepFinalizer && seen.deletedAt === undefined) return "settled";
    return letGo(
      ref,
      run.finalizers.filter((one) => one.startsWith("chains.tekton.dev")),
      house,
      call,
    );
  }
  /** The server kept other bytes than we sent: whoever believes the mark would be deceived, so the mark goes again. */
  async function withdraw(all: Annotations, key: string): Promise<Next> {
    const failure = new CountersignError(
      "mark.read-back",
      `annotation ${key} is not what was sent: an admission webhook or another writer changes it`,
      { retry: "counted" },
    );
    failures.push(failure);
    const { [`${annotationPrefix}signed`]: _withdrawn, ...rest } = all;
    const counted = marksOf(run.annotations, "counted") ?? {};
    if ((await annotate(ref, { ...rest, ...counted }, house, call)) === "gone") return forget();
    const final = isSettled({ signed: counted[`${annotationPrefix}signed`] });
    house.tell({ kind: "failed", ref, failures, final });
    if (final) return forget();
    return { againInMs: patience.next(ref.uid, "counted", failures, counted[`${annotationPrefix}retries`]) };
  }
}

/** The run as it stands, with its children; parsed from the very text the API server sent. */
async function fetched({ ref, children }: Projection, house: Surroundings, call: Call): Promise<Run | "gone" | "not yet"> {
  const { runs } = house;
  const text = await runs.get(ref, call);
  if (text === undefined) return "gone";
  const named = new Set(children.filter(({ kind }) => kind === "TaskRun").map(({ name }) => name));
  if (ref.kind === "TaskRun" || named.size === 0) return parseRun(text);
  const texts = new Map((await runs.children(ref, call)).map((child) => [parseRun(child).ref.name, child]));
  const there = [...named].flatMap((name) => texts.get(name) ?? []);
  // One that the watch has not shown us yet may still be on its way to its own mark.
  const late = there.some((child) => !isOver(parseRun(child), house));
  return late && !house.known(`PipelineRun/${ref.namespace}/${ref.name}`)?.retries ? "not yet" : parseRun(text, { children: there });
}

const isOver = (child: Run, { known }: Surroundings): boolean =>
  known(`TaskRun/${child.ref.namespace}/${child.ref.name}`) !== undefined ||
  isSettled({ signed: child.annotations[`${annotationPrefix}signed`] });

/** A run is seen while it works: our finalizer keeps it until it is signed. */
async function guard(seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  if (seen.deletedAt !== undefined) return letGo(seen.ref, seen.finalizers, house, call);
  const finalizer = finalizerOf[seen.ref.kind];
  if (seen.finalizers.includes(finalizer)) return "settled";
  return written(seen.ref, [finalizer], house, call);
}

async function letGo(ref: RunRef, standing: readonly string[], house: Surroundings, call: Call): Promise<Next> {
  return standing.length === 0 ? "settled" : written(ref, [], house, call);
}

async function written(ref: RunRef, finalizers: readonly string[], { runs, own }: Surroundings, call: Call): Promise<Next> {
  try {
    own.add(versionOf(await runs.finalizers(ref, finalizers, call)));
    return "settled";
  } catch (failure) {
    if (isGone(failure)) return "settled";
    throw failure;
  }
}

async function annotate(ref: RunRef, wanted: Annotations, { runs, own }: Surroundings, call: Call): Promise<Annotations | "gone"> {
  try {
    const answer = await runs.annotate(ref, wanted, call);
    own.add(versionOf(answer));
    return (JSON.parse(answer) as { metadata?: { annotations?: Annotations } }).metadata?.annotations ?? {};
  } catch (failure) {
    if (isGone(failure)) return "gone";
    throw failure;
  }
}

const isGone = (failure: unknown): boolean => CountersignError.is(failure) && failure.code === "mark.gone";
const versionOf = (text: string): string | undefined =>
  (JSON.parse(text) as { metadata?: { resourceVersion?: string } }).metadata?.resourceVersion;

function isOurs(managedBy: string | undefined, house: Surroundings): boolean {
  return !managedBy || managedBy === "tekton.dev/pipeline" || house.managedBy().has(managedBy);
}

/** TaskRuns of a PipelineRun that are not over yet. Once the PipelineRun carries a mark of ours, waiting is past. */
function childrenToWaitFor({ ref, children, retries }: Projection, { known }: Surroundings): readonly string[] {
  if (ref.kind !== "PipelineRun" || retries !== undefined) return [];
  return children.flatMap(({ kind, name }) => {
    const child = kind === "TaskRun" ? known(`TaskRun/${ref.namespace}/${name}`) : undefined;
    return child && !(child.completed && isSettled(child)) ? [name] : [];
  });
}

/** Children that are no TaskRuns, or are gone, never block; whoever reads the provenance is told which they are. */
function omittedChildren(run: Run): Annotations {
  const there = new Set(run.taskRuns.map(({ ref }) => ref.name));
  const omitted = run.childReferences.filter(({ kind, name }) => kind !== "TaskRun" || !there.has(name));
  if (omitted.length === 0) return {};
  return {
    [`${annotationPrefix}omitted-children`]: omitted
      .map(({ kind, name }) => `${kind}/${name}`)
      .join(",")
      .slice(0, 4096),
  };
}

/** A deletion is never held up longer than the deadline. Answers for how long it was, once that is over. */
function overdueSince({ deletedAt, finalizers }: Projection, { now, settings }: Surroundings): number | undefined {
  if (deletedAt === undefined || finalizers.length === 0) return undefined;
  const waited = now() - deletedAt;
  return waited >= settings.finalizerDeadlineMs ? waited : undefined;
}

/** After retries.transient-deadline an outage is counted like a refusal. */
function countedAtLast(mildest: Retry | undefined, uid: string, patience: Patience, { now, settings }: Surroundings): Retry | undefined {
  if (mildest !== "wait") return mildest;
  const since = patience.failingSince(uid);
  return since !== undefined && now() - since >= settings.transientDeadlineMs ? "counted" : mildest;
}

const addsTo = (standing: Annotations, stored: Annotations): boolean =>
  Object.entries(stored).some(([key, value]) => standing[key] !== value);

/** Counted: 2, 4, 8, 16 s by the mark that was just written. Outages: 1 s doubling to 5 min, jitter, and what the server asked for. */
export function patienceOf(now: () => number, random: () => number = Math.random): Patience {
  const failing = new Map<string, { since: number; times: number }>();
  return {
    next(uid, retry, failures, retries) {
      if (retry === "counted") return 2_000 * 2 ** Math.min(4, Math.max(0, Number(retries) || 0));
      const { since, times } = failing.get(uid) ?? { since: now(), times: 0 };
      failing.delete(uid);
      failing.set(uid, { since, times: times + 1 });
      for (const oldest of failing.keys()) if (failing.size > 100_000) failing.delete(oldest);
      const asked = Math.max(
        0,
        ...failures.map((failure) => (CountersignError.is(failure) && retryOf(failure) === "wait" ? (failure.retryAfterMs ?? 0) : 0)),
      );
      return Math.max(Math.min(asked, 300_000), backOffMs(times, { firstMs: 1_000, maxMs: 300_000, random }));
    },
    failingSince: (uid) => failing.get(uid)?.since,
    forget: (uid) => void failing.delete(uid),
  };
}
