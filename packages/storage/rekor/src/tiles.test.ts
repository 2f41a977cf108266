import { expect, test } from "vitest";
import { pathFromTiles, tileName } from "./tiles.ts";

test.each([
  [0, "000"],
  [67, "067"],
  [999, "999"],
  [1000, "x001/000"],
  [1_234_067, "x001/x234/067"],
])("tile %i is called %s", (at, name) => {
  expect(tileName(at)).toBe(name);
});

test("a tree of half a million leaves: each tile is read once, partial ones by their width", async () => {
  const read: string[] = [];
  const size = 500_000;
  await pathFromTiles(300_000, size, async (path) => {
    read.push(path);
    return Buffer.alloc(256 * 32);
  });
  expect(new Set(read).size).toBe(read.length);
  // 300,000 lies in tile 1171; the tree ends with 32 leaves in tile 1953, 161 tiles in the 8th of their level, and 7 of those.
  expect(read.sort()).toEqual(["/tile/0/x001/171", "/tile/0/x001/953.p/32", "/tile/1/004", "/tile/1/007.p/161", "/tile/2/000.p/7"]);
});
