import { createHash } from "node:crypto";
import { nodeHash } from "@countersign/bundle";

/** RFC 6962's tree over leaf hashes, at any size it ever had. */
export interface MerkleTree {
  readonly size: number;
  /** Answers the leaf's index. */
  append(leafHash: Uint8Array): number;
  root(size?: number): Uint8Array;
  /** Hashes beside the leaf's path, lowest first. */
  inclusion(index: number, size?: number): readonly Uint8Array[];
  /** That the tree of the first size is the beginning of the second's. */
  consistency(first: number, second: number): readonly Uint8Array[];
  /** The hashes of complete subtrees of 2^level leaves, from the left. */
  level(level: number): readonly Uint8Array[];
}

export function merkleTree(): MerkleTree {
  const levels: Uint8Array[][] = [[]];
  const size = (): number => levels[0]?.length ?? 0;
  return {
    get size() {
      return size();
    },
    append(leafHash) {
      const index = size();
      let [hash, at] = [leafHash, index];
      for (let level = 0; ; level += 1) {
        const row = rowOf(level);
        row.push(hash);
        const left = row[at - 1];
        // A right child completes the subtree above it.
        if (at % 2 === 0 || left === undefined) return index;
        [hash, at] = [nodeHash(left, hash), (at - 1) / 2];
      }
    },
    root: (to = size()) => (to === 0 ? createHash("sha256").digest() : hashOf(0, to)),
    inclusion: (index, to = size()) => pathOf(index, 0, to),
    consistency: (first, second) => (first === 0 ? [] : rest(first, 0, second, true)),
    level: (level) => rowOf(level),
  };

  function rowOf(level: number): Uint8Array[] {
    const row = levels[level] ?? [];
    levels[level] = row;
    return row;
  }

  function hashOf(from: number, to: number): Uint8Array {
    const width = to - from;
    const complete = Number.isInteger(Math.log2(width)) && from % width === 0 ? rowOf(Math.log2(width))[from / width] : undefined;
    if (complete) return complete;
    const middle = from + splitOf(width);
    return nodeHash(hashOf(from, middle), hashOf(middle, to));
  }

  /** RFC 6962 section 2.1.1. */
  function pathOf(index: number, from: number, to: number): readonly Uint8Array[] {
    if (to - from <= 1) return [];
    const middle = from + splitOf(to - from);
    return index < middle ? [...pathOf(index, from, middle), hashOf(middle, to)] : [...pathOf(index, middle, to), hashOf(from, middle)];
  }

  /** RFC 6962 section 2.1.2, SUBPROOF. */
  function rest(first: number, from: number, to: number, whole: boolean): readonly Uint8Array[] {
    if (first === to - from) return whole ? [] : [hashOf(from, to)];
    const half = splitOf(to - from);
    const middle = from + half;
    return first <= half
      ? [...rest(first, from, middle, whole), hashOf(middle, to)]
      : [...rest(first - half, middle, to, false), hashOf(from, middle)];
  }
}

/** The largest power of two below the number. */
const splitOf = (width: number): number => 2 ** (Math.ceil(Math.log2(width)) - 1);
