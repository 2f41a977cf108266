import { hash } from "node:crypto";

/** RFC 6962 section 2.1: a leaf's hash. The byte in front keeps leaves and nodes apart. */
export const leafHash = (leaf: Uint8Array): Uint8Array => hash("sha256", Buffer.concat([leafMark, leaf]), "buffer");

/** RFC 6962 section 2.1: the hash of an inner node. */
export const nodeHash = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  hash("sha256", Buffer.concat([nodeMark, left, right]), "buffer");

const leafMark = Buffer.of(0);
const nodeMark = Buffer.of(1);

/** A leaf's place in a tree, and the hashes beside its path to the root, lowest first. */
export interface InclusionPath {
  readonly index: bigint;
  readonly size: bigint;
  readonly hashes: readonly Uint8Array[];
}

/**
 * The root to which an inclusion proof leads (RFC 9162 section 2.1.3.2); undefined where index, size and number of hashes do not fit
 * together. Whoever calls it compares the root with one that a log signed.
 */
export function rootFrom(leaf: Uint8Array, { index, size, hashes }: InclusionPath): Uint8Array | undefined {
  if (index < 0n || index >= size) return undefined;
  let [node, last, root] = [index, size - 1n, leaf];
  for (const hash of hashes) {
    if (last === 0n) return undefined;
    if (node % 2n === 1n || node === last) {
      root = nodeHash(hash, root);
      // The last node of a level has no sibling until the level where it is a right child.
      while (node % 2n === 0n && node !== 0n) [node, last] = [node / 2n, last / 2n];
    } else root = nodeHash(root, hash);
    [node, last] = [node / 2n, last / 2n];
  }
  return last === 0n ? root : undefined;
}
