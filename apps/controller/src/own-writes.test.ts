import { expect, test } from "vitest";
import { ownWrites } from "./own-writes.ts";

test("the youngest are remembered, and no more", () => {
  const own = ownWrites(3);
  for (const version of ["1", "2", "3", "4", undefined, ""]) own.add(version);
  expect(["1", "2", "3", "4", ""].map(own.has)).toEqual([false, true, true, true, false]);
});

test("twenty thousand by default", () => {
  const own = ownWrites();
  for (let n = 0; n <= 20_000; n++) own.add(`${n}`);
  expect([own.has("0"), own.has("1"), own.has("20000")]).toEqual([false, true, true]);
});
