import type { Clock } from "./clock.ts";

/** Services that come and go in turn must not make everybody's waiting void. */
const betweenWakesMs = 10_000;

/** Told of each service that is back, it wakes whoever waits: the first time at once, later at most once in ten seconds, and never too seldom. */
export function recoveries(clock: Clock, wake: () => void): () => void {
  let [wokenAt, waking] = [Number.NEGATIVE_INFINITY, false];
  return () => {
    if (waking) return;
    waking = true;
    clock.after(Math.max(0, wokenAt + betweenWakesMs - clock.now()), () => {
      [wokenAt, waking] = [clock.now(), false];
      wake();
    });
  };
}
