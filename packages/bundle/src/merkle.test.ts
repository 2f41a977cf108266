import { expect, test } from "vitest";
import { pathTo, treeHash } from "./log.fixture.ts";
import { leafHash, rootFrom } from "./merkle.ts";

const leaves = Array.from({ length: 33 }, (_, n) => Buffer.from(`leaf ${n}`));

test("every leaf of every tree of up to 33 leaves leads to its root", () => {
  for (let size = 1; size <= leaves.length; size += 1) {
    const some = leaves.slice(0, size);
    const root = treeHash(some);
    for (const [index, leaf] of some.entries()) {
      const path = { index: BigInt(index), size: BigInt(size), hashes: pathTo(index, some) };
      expect(rootFrom(leafHash(leaf), path)).toEqual(root);
    }
  }
});

test("another index, a missing or a further hash, another leaf: another root or none", () => {
  const [index, size] = [5n, 13n];
  const some = leaves.slice(0, 13);
  const [root, hashes] = [treeHash(some), pathTo(5, some)];
  const leaf = leafHash(Buffer.from("leaf 5"));
  const impossible = [
    { index: 13n, size, hashes },
    { index: index + 16n, size, hashes }, // the same path, were it not beyond the tree
    { index: -1n, size, hashes },
    { index: 1n, size: 3n, hashes },
    { index, size, hashes: hashes.slice(1) },
    { index, size, hashes: [...hashes, leaf] },
  ];
  for (const path of impossible) expect(rootFrom(leaf, path)).toBeUndefined();
  expect(rootFrom(leaf, { index: 4n, size, hashes })).not.toEqual(root);
  expect(rootFrom(leafHash(Buffer.from("leaf 6")), { index, size, hashes })).not.toEqual(root);
  expect(rootFrom(leaf, { index, size, hashes })).toEqual(root);
  expect(rootFrom(leaf, { index: 0n, size: 0n, hashes: [] })).toBeUndefined();
});

test("the empty leaf of RFC 6962's test vectors", () => {
  expect(Buffer.from(leafHash(new Uint8Array())).toString("hex")).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
});
