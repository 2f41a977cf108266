import type { Call } from "@countersign/core";
import type { Lent } from "./cloud.ts";

/** A little earlier than its end, so that it does not run out on the way. */
const earlyMs = 60_000;
const mostKept = 100;

/**
 * Asks once for each key until what was lent runs out. Who asks meanwhile waits for the same answer; an abort is only the business of the
 * one who aborts. A failure is asked for anew.
 */
export function lender<T>(
  now: () => number,
  borrow: (key: string, call: Call) => Promise<Lent<T>>,
): (key: string, call: Call) => Promise<T> {
  const known = new Map<string, Promise<Lent<T>>>();
  async function lent(key: string): Promise<T> {
    const kept = known.get(key);
    const standing = kept && (await kept.catch(() => undefined));
    if (standing && standing.until - earlyMs > now()) return standing.value;
    // Somebody may have asked anew while we waited.
    const current = known.get(key);
    if (current && current !== kept) return (await current).value;
    const asked = borrow(key, { signal: AbortSignal.timeout(30_000) });
    if (known.size >= mostKept) known.clear();
    known.set(key, asked);
    return (await asked).value;
  }
  return async (key, { signal }) => {
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([lent(key), aborted.promise]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };
}
