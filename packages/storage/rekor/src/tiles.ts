import { nodeHash } from "@countersign/bundle";

/** Reads one tile, given the path below the log: 256 hashes of one level, or so many as the name says (https://c2sp.org/tlog-tiles). */
export type ReadTile = (path: string) => Promise<Uint8Array>;

const tileHeight = 8;
const [tileWidth, hashLength] = [2 ** tileHeight, 32];

/** The hashes beside a leaf's path in a tree of so many leaves, lowest first: RFC 6962 section 2.1.1 over tiles. */
export async function pathFromTiles(index: number, size: number, read: ReadTile): Promise<readonly Uint8Array[]> {
  const tiles = new Map<string, Uint8Array>();
  return pathOf(index, 0, size);

  async function pathOf(leaf: number, from: number, to: number): Promise<readonly Uint8Array[]> {
    if (to - from <= 1) return [];
    const middle = from + splitOf(to - from);
    return leaf < middle
      ? [...(await pathOf(leaf, from, middle)), await hashOf(middle, to)]
      : [...(await pathOf(leaf, middle, to)), await hashOf(from, middle)];
  }

  async function hashOf(from: number, to: number): Promise<Uint8Array> {
    const level = Math.log2(to - from);
    if (Number.isInteger(level)) return complete(level, from / (to - from));
    const middle = from + splitOf(to - from);
    return nodeHash(await hashOf(from, middle), await hashOf(middle, to));
  }

  /** Of a complete subtree: tiles hold every eighth level, the levels between are computed. */
  async function complete(level: number, at: number): Promise<Uint8Array> {
    const row = Math.floor(level / tileHeight);
    const below = level % tileHeight;
    if (below > 0) return nodeHash(await complete(level - 1, at * 2), await complete(level - 1, at * 2 + 1));
    const tile = await tileOf(row, Math.floor(at / tileWidth));
    const start = (at % tileWidth) * hashLength;
    return tile.subarray(start, start + hashLength);
  }

  async function tileOf(row: number, at: number): Promise<Uint8Array> {
    const present = Math.floor(size / tileWidth ** row) - at * tileWidth;
    const path = `/tile/${row}/${tileName(at)}${present < tileWidth ? `.p/${present}` : ""}`;
    const known = tiles.get(path);
    if (known) return known;
    const tile = await read(path);
    tiles.set(path, tile);
    return tile;
  }
}

/** 1234067 is x001/x234/067. */
export function tileName(at: number): string {
  const digits = `${at}`.padStart(Math.ceil(`${at}`.length / 3) * 3, "0");
  const parts = digits.match(/.{3}/g) ?? [];
  return parts.map((part, place) => (place < parts.length - 1 ? `x${part}` : part)).join("/");
}

/** The largest power of two below the number. */
const splitOf = (width: number): number => 2 ** (Math.ceil(Math.log2(width)) - 1);
