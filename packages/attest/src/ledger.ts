import type { Artifact, Found } from "@countersign/core";

/**
 * Memory between two tries of the same run. It keeps only what cannot be made again: the signature and who saw it. The payload is
 * formatted anew at each visit, so a page is 1 to 5 kB whatever the run weighs.
 */
export interface Ledger {
  recall(artifact: Artifact, route: string): readonly Found[];
  remember(artifact: Artifact, route: string, found: Found): void;
  forget(uid: string): void;
  readonly bytes: number;
}

export interface LedgerOptions {
  /** Default 64 MiB, about 16,000 attestations. */
  readonly maxBytes?: number;
}

/** Pages by uid, so a run that was recreated under its old name starts on an empty one. Over maxBytes the page unused for longest goes. */
export function memoryLedger({ maxBytes = 64 * 2 ** 20 }: LedgerOptions = {}): Ledger {
  const pages = new Map<string, Map<string, Found>>();
  let bytes = 0;
  const forget = (uid: string): void => {
    for (const found of pages.get(uid)?.values() ?? []) bytes -= weigh(found);
    pages.delete(uid);
  };
  return {
    recall: ({ run, fullKey }, route) => [pages.get(run.uid)?.get(`${route} ${fullKey}`) ?? []].flat(),
    remember({ run, fullKey }, route, found) {
      const page = pages.get(run.uid) ?? new Map<string, Found>();
      const old = page.get(`${route} ${fullKey}`);
      page.set(`${route} ${fullKey}`, found);
      bytes += weigh(found) - (old ? weigh(old) : 0);
      pages.delete(run.uid);
      pages.set(run.uid, page); // youngest last
      for (const uid of pages.keys()) {
        if (bytes <= maxBytes) break;
        forget(uid);
      }
    },
    forget,
    get bytes() {
      return bytes;
    },
  };
}

/** About what a page costs: the text it would make, and a flat sum for objects and the signature's bytes. */
function weigh({ signature: { bytes: _, ...names }, ...rest }: Found): number {
  return 512 + JSON.stringify([names, rest]).length;
}
