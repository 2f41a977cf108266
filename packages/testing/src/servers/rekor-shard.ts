import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { type MerkleTree, merkleTree } from "./merkle-tree.ts";
import { Refused } from "./rekor-refusal.ts";
import { signedCheckpoint } from "./signed-note.ts";

interface Keys {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** One tree of a log, with its key. */
export interface Shard {
  readonly treeId: bigint;
  readonly keys: Keys;
  readonly logId: Buffer;
  readonly tree: MerkleTree;
  /** The number of its first entry over all trees. */
  readonly first: number;
  /** Of the tree at this size, signed by whomever. */
  checkpoint(size: number, keys: Keys): string;
}

export function newShard(hostname: string, number: number, first: number): Shard {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const logId = createHash("sha256")
    .update(keys.publicKey.export({ type: "spki", format: "der" }))
    .digest();
  // Tree IDs are positive int64, and like real ones have sixteen hex digits.
  const treeId = 0x1122334455667788n + BigInt(number);
  const tree = merkleTree();
  const checkpoint = (size: number, signer: Keys): string =>
    signedCheckpoint({ origin: `${hostname} - ${treeId}`, name: hostname, size, root: tree.root(size) }, signer);
  return { treeId, keys, logId, tree, first, checkpoint };
}

/** As /api/v1/log tells of it. */
export const infoOf = ({ tree, treeId, keys, checkpoint }: Shard): object => ({
  rootHash: hex(tree.root()),
  signedTreeHead: checkpoint(tree.size, keys),
  treeID: `${treeId}`,
  treeSize: tree.size,
});

/** That the tree of the first size is the beginning of the tree of the last. @throws Refused */
export function consistencyOf({ tree }: Shard, first: number, last: number): object {
  if (!(first <= last && last <= tree.size)) throw new Refused(400, "no such sizes");
  return { hashes: tree.consistency(first, last).map(hex), rootHash: hex(tree.root(last)) };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

export const pemOf = ({ keys }: Pick<Shard, "keys">): string => keys.publicKey.export({ type: "spki", format: "pem" }).toString();
export const treeHex = ({ treeId }: Pick<Shard, "treeId">): string => treeId.toString(16).padStart(16, "0");
