import type { Ledger, Observer, Outcome } from "@countersign/attest";
import type { Plan, RunRef } from "@countersign/core";
import type { Runs } from "@countersign/kube";
import type { Run } from "@countersign/tekton";
import type { OwnWrites } from "./own-writes.ts";
import type { Patience } from "./patience.ts";
import type { Projection } from "./projection.ts";

/** What a visit is lent. */
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
  /** Told what became of each route, whatever the visit came to. */
  readonly count: (ref: RunRef, outcomes: readonly Outcome[]) => void;
  /** Told when a run is done that waited long: what it waited for is what others wait for, most likely. */
  readonly recovered: () => void;
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
  /** Log entries of ours that nothing stored belongs to: "https://log.example/api/v1/log/entries?logIndex=7". */
  | { readonly kind: "orphaned"; readonly ref: RunRef; readonly entries: readonly string[] }
  | { readonly kind: "released"; readonly ref: RunRef; readonly waitedMs: number };
