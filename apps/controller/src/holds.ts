import type { Outcome } from "@countersign/attest";
import { sentenceOf } from "./sentence.ts";

/** Runs that wait for key or configuration, and what has been said about it. */
export interface Holds {
  /** @returns the failures that nobody was told of yet: one Event for a route, not one for each run that waits behind it */
  add(key: string, outcomes: readonly Outcome[]): readonly unknown[];
  delete(key: string): void;
  /** All of them, which are no longer held; and what is said anew is news again. */
  release(): readonly string[];
  readonly size: number;
}

export function holdsOn(): Holds {
  const keys = new Set<string>();
  const told = new Set<string>();
  return {
    add(key, outcomes) {
      keys.add(key);
      return outcomes.flatMap(({ route, failures }) =>
        failures.filter((failure) => {
          const what = `${route} ${sentenceOf(failure)}`;
          const fresh = !told.has(what);
          told.add(what);
          return fresh;
        }),
      );
    },
    delete: (key) => void keys.delete(key),
    release() {
      const all = [...keys];
      keys.clear();
      told.clear();
      return all;
    },
    get size() {
      return keys.size;
    },
  };
}
