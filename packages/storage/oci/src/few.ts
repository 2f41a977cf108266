export type Settled<T> = { readonly value: T } | { readonly failure: unknown };

/** All of them, so many at a time; one failure never keeps the others from their turn. */
export async function few<A, T>(items: readonly A[], width: number, work: (item: A) => Promise<T>): Promise<readonly Settled<T>[]> {
  const settled: Settled<T>[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [at, item] of queue) {
      settled[at] = await work(item).then(
        (value) => ({ value }),
        (failure: unknown) => ({ failure }),
      );
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return settled;
}
