import { setTimeout as sleep } from "node:timers/promises";

/** Waits before try n (0, 1, 2 …): doubling, capped, with jitter, so that replicas and keys do not march in step. */
export function backOffMs(
  n: number,
  { firstMs, maxMs, random = Math.random }: { firstMs: number; maxMs: number; random?: () => number },
): number {
  const full = Math.min(maxMs, firstMs * 2 ** n);
  return full * (0.8 + 0.4 * random());
}

/** Sleeps; an abort ends it at once, without an error. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
