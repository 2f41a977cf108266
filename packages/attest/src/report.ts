import type { Artifact, Attestation, Evidence, StoredAt } from "@countersign/core";

/** What became of a run's routes. A failure is a value here, never an exception. */
export interface Report {
  readonly outcomes: readonly Outcome[];
}

export interface Outcome {
  readonly route: string;
  readonly artifact: Artifact;
  /** Absent when it failed before anything was signed. */
  readonly attestation?: Attestation;
  readonly stored: readonly StoredAt[];
  /** Log entries of ours over the same payload that belong to nothing stored: a process died after the log had answered. */
  readonly orphans?: readonly Evidence[];
  /** Empty: this route is done. */
  readonly failures: readonly unknown[];
}

export const failuresOf = ({ outcomes }: Report): readonly unknown[] => outcomes.flatMap((outcome) => outcome.failures);
