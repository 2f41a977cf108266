export type Check = "signature" | "identity" | "certificate" | "log-entry" | "timestamp" | "subject" | "predicate";

/** One check that failed. signature: broken or made by a stranger. The others: sound, and not wanted, or not vouched for. */
export interface Reason {
  readonly check: Check;
  readonly sentence: string;
}

export interface Verdict {
  readonly accepted: boolean;
  /** Every failed check, not only the first; empty when accepted. */
  readonly reasons: readonly Reason[];
}

export const because = (check: Check, sentence: string): Reason => ({ check, sentence });
