import type { Artifact, Attestation, StoredAt } from "@countersign/core";

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
  /** Empty: this route is done. */
  readonly failures: readonly unknown[];
}

export const failuresOf = ({ outcomes }: Report): readonly unknown[] => outcomes.flatMap((outcome) => outcome.failures);
