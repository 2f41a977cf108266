import { attestRun, failuresOf, type Ledger, type Observer, type Outcome, type Report } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import { type Annotations, type Call, CountersignError, type Plan, type Retry, type RunRef } from "@countersign/core";
import { ourFinalizers, type Runs } from "@countersign/kube";
import type { Run } from "@countersign/tekton";
import { fetchRun } from "./fetch-run.ts";
import { guard, isGone, letGo, versionOf } from "./finalizer.ts";
import { assertFits, marksOf, mildestOf, ours, storedAnnotations } from "./marks.ts";
import type { OwnWrites } from "./own-writes.ts";
import type { Patience } from "./patience.ts";
import { type ChildReference, isSettled, keyOf, type Projection } from "./projection.ts";
import type { Next } from "./work.ts";

export interface Surroundings {
  readonly runs: Runs;
  /** The plan in force; a visit takes it once and keeps it to its end. */
  readonly plan: Plan<Run>;
  /** spec.managedBy values that are ours beside Tekton's own. */
  readonly managedBy: readonly string[];
  readonly ledger: Ledger;
  readonly patience: Patience;
  readonly own: OwnWrites;
  readonly observe: Observer;
  /** What the watch knows of another run. */
  readonly known: (key: string) => Projection | undefined;
  readonly settings: ReconcileSettings;
  readonly now: () => number;
  /** Told of each visit that came to something. */
  readonly tell: (news: News) => void;
  /** A mark seen before the run was done: somebody else wrote it, so it is not believed. */
  readonly isForeign: (uid: string) => boolean;
}

export interface ReconcileSettings {
  readonly keepFinalizer: boolean;
  readonly finalizerDeadlineMs: number;
  /** How long an outage may last until it is counted; undefined: for ever. */
  readonly transientDeadlineMs: number | undefined;
}

export type News =
  | { readonly kind: "signed"; readonly ref: RunRef; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "failed"; readonly ref: RunRef; readonly failures: readonly unknown[]; readonly final: boolean }
  | { readonly kind: "held"; readonly ref: RunRef; readonly outcomes: readonly Outcome[]; readonly failures: readonly unknown[] }
  | { readonly kind: "released"; readonly ref: RunRef; readonly waitedMs: number };

/** One visit to one run: at most one GET, one apply of annotations, and our finalizer on or off. */
export async function reconcileRun(seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  const { settings, tell, now } = house;
  if (!isOurs(seen.managedBy, house)) return "settled";
  if (!seen.done) return guard(seen, house, call).then(() => "settled" as const);
  if (isSettled(seen) && !house.isForeign(seen.ref.uid)) return released(seen, house, call);

  const left = deadlineLeft(seen, house);
  if (left <= 0) {
    tell({ kind: "released", ref: seen.ref, waitedMs: now() - (seen.deletedAt ?? now()) });
    return letGo(seen.ref, seen.finalizers, house, call).then(() => "settled" as const);
  }
  if (waitsForChildren(seen, house)) return Number.isFinite(left) ? { againInMs: left } : "settled";

  const fetched = await fetchRun(seen, house, call);
  if (fetched.kind === "gone") return "settled";
  if (fetched.kind === "not-yet") return { againInMs: Math.min(left, notYetMs) };
  if (fetched.kind === "unreadable")
    return concluded({ ...fetched, report: { outcomes: [] }, failures: [fetched.failure], stored: {} }, seen, settings, house, call);
  const { run, omitted } = fetched;
  const believed = isSettled({ signed: run.annotations[`${annotationPrefix}signed`] }) && !house.isForeign(run.ref.uid);
  if (!run.done || believed) return "settled";

  const report = await attestRun(run, house.plan(run), { signal: call.signal, ledger: house.ledger, observe: house.observe });
  const stored = { ...storedAnnotations(report), ...omittedChildren(omitted) };
  const visit: Visit = { ref: run.ref, annotations: run.annotations, report, failures: failuresOf(report), stored };
  return concluded(
    fitting(visit),
    { ...seen, finalizers: run.finalizers.filter((one) => ourFinalizers.includes(one)) },
    settings,
    house,
    call,
  );
}

/** A child that the list shows and the watch does not yet: it will, in a moment. */
const notYetMs = 2_000;

/** What a visit came to, before it is written down. */
interface Visit {
  readonly ref: RunRef;
  /** As they stood at the GET. */
  readonly annotations: Annotations;
  readonly report: Report;
  readonly failures: readonly unknown[];
  /** To be written on the run. */
  readonly stored: Annotations;
}

/** Too much for one run's annotations: nothing is stored there, and the run is marked failed. */
function fitting(visit: Visit): Visit {
  try {
    assertFits(visit.annotations, visit.stored);
    return visit;
  } catch (tooLarge) {
    return { ...visit, failures: [...visit.failures, tooLarge], stored: {} };
  }
}

async function concluded(visit: Visit, seen: Projection, settings: ReconcileSettings, house: Surroundings, call: Call): Promise<Next> {
  const { ref, annotations, report, failures, stored } = visit;
  const mildest = countedAtLast(mildestOf(failures), ref.uid, house);
  const marks = marksOf(annotations, mildest);
  // While a route is on hold the others are written down: they are done, and nobody knows for how long the hold lasts.
  const writes = marks !== undefined || (mildest === "hold" && addsTo(annotations, stored));
  if (!writes) return later(visit, mildest ?? "counted", undefined, seen, house);

  const wanted = { ...ours(annotations), ...withoutOldMark(ref, annotations, marks, house), ...stored, ...marks };
  const answer = await annotate(ref, wanted, house, call);
  if (answer === "gone") return forgotten(ref, house);
  const changed = Object.keys(wanted).find((key) => answer[key] !== wanted[key]);
  if (changed) return withdrawn(visit, wanted, changed, seen, house, call);
  if (!isSettled({ signed: marks?.[`${annotationPrefix}signed`] })) return later(visit, mildest ?? "counted", marks, seen, house);

  house.tell(mildest === undefined ? { kind: "signed", ref, outcomes: report.outcomes } : { kind: "failed", ref, failures, final: true });
  forgotten(ref, house);
  return released({ ...seen, ref }, { ...house, settings }, call);
}

/** The server kept other bytes than we sent: whoever believes the mark would be deceived, so the mark goes again. */
async function withdrawn(visit: Visit, wrote: Annotations, key: string, seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  const { ref, annotations } = visit;
  const sentence = `annotation ${key} of ${ref.kind} ${ref.namespace}/${ref.name} is not what was sent: an admission webhook or another writer changes it; exempt the prefix ${annotationPrefix}`;
  const failures = [...visit.failures, new CountersignError("mark.read-back", sentence, { retry: "counted" })];
  const { [`${annotationPrefix}signed`]: _withdrawn, ...rest } = wrote;
  const marks = marksOf(annotations, "counted");
  if ((await annotate(ref, { ...rest, ...marks }, house, call)) === "gone") return forgotten(ref, house);
  if (!isSettled({ signed: marks?.[`${annotationPrefix}signed`] })) return later({ ...visit, failures }, "counted", marks, seen, house);
  house.tell({ kind: "failed", ref, failures, final: true });
  forgotten(ref, house);
  return released({ ...seen, ref }, house, call);
}

/** Not over yet: whoever is on hold is woken, the others come again by themselves, within the deadline of a deletion. */
function later(
  { ref, report, failures }: Visit,
  retry: Retry,
  marks: Annotations | undefined,
  seen: Projection,
  house: Surroundings,
): Next {
  const left = deadlineLeft(seen, house);
  if (retry === "hold") {
    house.tell({ kind: "held", ref, outcomes: report.outcomes, failures });
    return Number.isFinite(left) ? { againInMs: left } : "settled";
  }
  house.tell({ kind: "failed", ref, failures, final: false });
  return { againInMs: Math.min(left, house.patience.next(ref.uid, retry, failures, marks?.[`${annotationPrefix}retries`])) };
}

/** Early, unless it is to stay as Tekton Chains leaves it: then deletion takes it off. */
async function released(seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  if (!house.settings.keepFinalizer || seen.deletedAt !== undefined) await letGo(seen.ref, seen.finalizers, house, call);
  return "settled";
}

function forgotten({ uid }: RunRef, { ledger, patience }: Surroundings): Next {
  ledger.forget(uid);
  patience.forget(uid);
  return "settled";
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

function isOurs(managedBy: string | undefined, house: Surroundings): boolean {
  return !managedBy || managedBy === "tekton.dev/pipeline" || house.managedBy.includes(managedBy);
}

/** Waiting is not failing: it costs no request, and a child's own change ends it. Once we marked the PipelineRun, it is past. */
function waitsForChildren({ ref, children, retries }: Projection, { known }: Surroundings): boolean {
  if (ref.kind !== "PipelineRun" || retries !== undefined) return false;
  const states = children.flatMap(({ kind, name }) => (kind === "TaskRun" ? (known(keyOf({ ...ref, kind: "TaskRun", name })) ?? []) : []));
  return states.some((child) => !(child.completed && isSettled(child)));
}

/** Children that are no TaskRuns, or are gone, never block; whoever reads the provenance is told which they are. */
function omittedChildren(omitted: readonly ChildReference[]): Annotations {
  if (omitted.length === 0) return {};
  const names = omitted.map(({ kind, name }) => `${kind}/${name}`).join(",");
  return { [`${annotationPrefix}omitted-children`]: names.slice(0, 4096) };
}

/** A deletion is never held up longer than the deadline. Infinity: nobody deletes it, or nothing of ours holds it. */
function deadlineLeft({ deletedAt, finalizers }: Projection, { now, settings }: Surroundings): number {
  if (deletedAt === undefined || finalizers.length === 0) return Number.POSITIVE_INFINITY;
  return deletedAt + settings.finalizerDeadlineMs - now();
}

/** After retries.transient-deadline an outage is counted like a refusal. */
function countedAtLast(mildest: Retry | undefined, uid: string, { patience, now, settings }: Surroundings): Retry | undefined {
  const since = patience.failingSince(uid);
  const { transientDeadlineMs } = settings;
  const over = since !== undefined && transientDeadlineMs !== undefined && now() - since >= transientDeadlineMs;
  return mildest === "wait" && over ? "counted" : mildest;
}

/** A foreign "signed" must not stand beside a retry of ours. */
function withoutOldMark(
  { uid }: RunRef,
  annotations: Annotations,
  marks: Annotations | undefined,
  { isForeign }: Surroundings,
): Annotations {
  const key = `${annotationPrefix}signed`;
  return isForeign(uid) && annotations[key] !== undefined && marks?.[key] === undefined ? { [key]: "" } : {};
}

const addsTo = (standing: Annotations, stored: Annotations): boolean =>
  Object.entries(stored).some(([key, value]) => standing[key] !== value);
