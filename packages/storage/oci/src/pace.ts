import type { Call } from "@countersign/core";
import { pause } from "@countersign/http";

/** No writer writes later than this after it asked what stands there, or it asks again (milliseconds). */
export const span = 100;

/** How fast a registry answers, how often others were faster than we, and so how long to wait before looking. */
export interface Pace {
  /** Takes the time of a request. */
  timed<T>(request: Promise<T>): Promise<T>;
  overtaken(): void;
  /** As long as another writer may need between reading and writing. */
  calm(call: Call): Promise<void>;
}

/** Longer than the span and two requests: those who read before us must have written. */
const lookAfter = (slowestMs: number): number => span + Math.max(50, 3 * slowestMs);

export function pace(lookAfterMs: (slowestMs: number) => number = lookAfter): Pace {
  let slowest = 0;
  let overtaken = 0;
  return {
    async timed(request) {
      const start = performance.now();
      const answer = await request;
      slowest = Math.max(slowest, performance.now() - start);
      return answer;
    },
    overtaken() {
      overtaken += 1;
    },
    // Each time we were overtaken we wait longer, up to twice: the other is slower than we are. Nobody waits as long as his neighbour.
    calm: ({ signal }) => pause(lookAfterMs(slowest) * Math.min(1 + overtaken / 4, 2) * (1 + Math.random() / 2), signal),
  };
}
