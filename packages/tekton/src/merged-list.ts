import type { RefSource, StringMap } from "./objects.ts";
import type { Origin } from "./origin.ts";

/** A subject, material or dependency in the making. */
export interface Entry {
  /** A subject's name, a material's URI. */
  readonly name: string;
  readonly digest: StringMap;
  readonly origins: readonly Origin[];
  /** Whose digest it is, when it is a task's or pipeline's own source. */
  readonly refSource?: RefSource;
}

interface Growing {
  readonly name: string;
  readonly digest: Map<string, string>;
  readonly origins: Origin[];
  readonly refSource?: RefSource;
}

/**
 * A list into which entries merge. An entry that is the same as an earlier one (same name, and the hex of at least one of the earlier one's
 * algorithms) adds its digests to that one, winning per algorithm; any other goes to the end. An entry without digests is the same as none.
 */
export class MergedList {
  readonly #entries: Growing[] = [];
  readonly #byName = new Map<string, Growing[]>();

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  append(entry: Entry): void {
    const namesakes = this.#byName.get(entry.name);
    const same = namesakes?.find((earlier) => isSame(earlier.digest, entry.digest));
    if (same) {
      for (const [algorithm, hex] of entry.digest) same.digest.set(algorithm, hex);
      same.origins.push(...entry.origins);
      return;
    }
    const growing: Growing = { ...entry, digest: new Map(entry.digest), origins: [...entry.origins] };
    this.#entries.push(growing);
    if (namesakes) namesakes.push(growing);
    else this.#byName.set(entry.name, [growing]);
  }

  appendAll(entries: Iterable<Entry>): this {
    for (const entry of entries) this.append(entry);
    return this;
  }
}

/** A missing algorithm counts as empty text, so that an earlier entry with an empty hex is the same as one that lacks the algorithm. */
function isSame(earlier: StringMap, later: StringMap): boolean {
  for (const [algorithm, hex] of earlier) if ((later.get(algorithm) ?? "") === hex) return true;
  return false;
}
