import type { Report } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import type { Annotations, Call, Retry, RunRef } from "@countersign/core";
import { altered, annotate } from "./annotate.ts";
import { withoutDrafts } from "./drafts.ts";
import { deadlineLeft, isGone, released } from "./finalizer.ts";
import { assertFits, fits, marksOf, mildestOf, ours } from "./marks.ts";
import { isSettled, type Projection } from "./projection.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Next } from "./work.ts";

/** What a visit came to, before it is written down. */
export interface Visit {
  readonly ref: RunRef;
  /** As they stand: at the GET, and with the drafts since. */
  readonly annotations: Annotations;
  readonly report: Report;
  readonly failures: readonly unknown[];
  /** To be written on the run. */
  readonly stored: Annotations;
}

/** Too much for one run's annotations: nothing is stored there, and the run is marked failed. */
export function fitting(visit: Visit): Visit {
  try {
    assertFits(withoutDrafts(visit.annotations), visit.stored);
    return visit;
  } catch (tooLarge) {
    return { ...visit, failures: [...visit.failures, tooLarge], stored: {} };
  }
}

/** Writes down what a visit came to, looks whether it was kept, and says when to come again. */
export async function concluded(visit: Visit, seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  const { ref, annotations, report, failures, stored } = visit;
  const mildest = countedAtLast(mildestOf(failures), ref.uid, house);
  const marks = marksOf(annotations, mildest);
  // While a route is on hold the others are written down: they are done, and nobody knows for how long the hold lasts.
  const writes = marks !== undefined || (mildest === "hold" && addsTo(annotations, stored));
  if (!writes) return later(visit, mildest ?? "counted", undefined, seen, house);

  const isOver = isSettled({ signed: marks?.[`${annotationPrefix}signed`] });
  const kept = isOver || !fits(annotations, { ...stored, ...marks }) ? withoutDrafts(annotations) : annotations;
  const wanted = { ...ours(kept), ...withoutOldMark(ref, annotations, marks, house), ...stored, ...marks };
  const answer = await annotate(ref, wanted, house, call).catch(goneOrThrow);
  if (answer === "gone") return forgotten(ref, house);
  const changed = Object.keys(wanted).find((key) => answer[key] !== wanted[key]);
  if (changed) return withdrawn(visit, wanted, changed, seen, house, call);
  if (!isOver) return later(visit, mildest ?? "counted", marks, seen, house);

  house.tell(mildest === undefined ? { kind: "signed", ref, outcomes: report.outcomes } : { kind: "failed", ref, failures, final: true });
  if (mildest === undefined && waitedLong(ref, house)) house.recovered();
  forgotten(ref, house);
  return released({ ...seen, ref }, house, call);
}

/** Not every service that is well again is known by an answer: some gave answers all the time, which nobody could believe. */
const longMs = 10_000;
function waitedLong({ uid }: RunRef, { patience, now }: Surroundings): boolean {
  const since = patience.failingSince(uid);
  return since !== undefined && now() - since >= longMs;
}

/** Whoever believed the mark would be deceived, so the mark goes again. */
async function withdrawn(visit: Visit, wrote: Annotations, key: string, seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  const { ref, annotations } = visit;
  const failures = [...visit.failures, altered(ref, key)];
  const { [`${annotationPrefix}signed`]: _withdrawn, ...rest } = wrote;
  const marks = marksOf(annotations, "counted");
  if ((await annotate(ref, { ...rest, ...marks }, house, call).catch(goneOrThrow)) === "gone") return forgotten(ref, house);
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

function forgotten({ uid }: RunRef, { ledger, patience }: Surroundings): Next {
  ledger.forget(uid);
  patience.forget(uid);
  return "settled";
}

/** Nobody is left to write on: that ends a visit well. */
function goneOrThrow(failure: unknown): "gone" {
  if (isGone(failure)) return "gone";
  throw failure;
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
