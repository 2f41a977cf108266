import { CountersignError, type Retry, retryOf } from "@countersign/core";
import { backOffMs } from "@countersign/kube";

/** Looks after the failures of runs between two visits. */
export interface Patience {
  /** How long until the next visit after such failures. `retries`: the mark that was just written, if any. */
  next(uid: string, retry: Retry, failures: readonly unknown[], retries: string | undefined): number;
  /** Since when this run meets nothing but outages; undefined: it does not. */
  failingSince(uid: string): number | undefined;
  forget(uid: string): void;
}

/** With its jitter less than five minutes: so long after the end of an outage the last one has come again, whoever wakes them or not. */
const longestMs = 240_000;

/** Counted: 2, 4, 8, 16 s by the mark. Outages: 1 s doubling to 4 min, with jitter, and not before the server asked for it. */
export function patienceOf(now: () => number, random: () => number = Math.random): Patience {
  const failing = new Map<string, { readonly since: number; readonly times: number }>();
  return {
    next(uid, retry, failures, retries) {
      if (retry === "counted") return 2_000 * 2 ** Math.min(4, Math.max(0, Number(retries) || 0));
      const { since, times } = failing.get(uid) ?? { since: now(), times: 0 };
      failing.delete(uid);
      failing.set(uid, { since, times: times + 1 });
      for (const oldest of failing.keys()) {
        if (failing.size <= 100_000) break;
        failing.delete(oldest);
      }
      return Math.max(Math.min(askedFor(failures), longestMs), backOffMs(times, { firstMs: 1_000, maxMs: longestMs, random }));
    },
    failingSince: (uid) => failing.get(uid)?.since,
    forget: (uid) => void failing.delete(uid),
  };
}

const askedFor = (failures: readonly unknown[]): number =>
  Math.max(
    0,
    ...failures.map((failure) => (CountersignError.is(failure) && retryOf(failure) === "wait" ? (failure.retryAfterMs ?? 0) : 0)),
  );
