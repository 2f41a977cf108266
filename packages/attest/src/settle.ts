export interface Settled<U> {
  readonly done: readonly U[];
  readonly failures: readonly unknown[];
}

/** One plug-in's failure never keeps the others from their turn. */
export async function settle<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<Settled<U>> {
  const results = await Promise.allSettled(items.map(work));
  return {
    done: results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])),
    failures: results.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : [])),
  };
}

/** Results in the order of the items; at most `limit` at a time. */
export async function mapLimit<T, U>(items: readonly T[], limit: number, work: (item: T) => Promise<U>): Promise<readonly U[]> {
  const results: U[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}
