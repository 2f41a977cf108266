import { expect, test } from "vitest";
import { backOffMs, pause } from "./back-off.ts";

test("doubles from the first, up to the most, also where doubling has no end", () => {
  const at = (n: number) => backOffMs(n, { firstMs: 1_000, maxMs: 300_000, random: () => 0.5 });
  expect([0, 1, 2, 8, 9, 31, 5_000].map(at)).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000, 300_000]);
});

test("a fifth more or less", () => {
  const at = (random: number) => backOffMs(0, { firstMs: 1_000, maxMs: 5_000, random: () => random });
  expect([at(0), at(1)].map(Math.round)).toEqual([800, 1_200]);
  const some = new Set(Array.from({ length: 20 }, () => backOffMs(3, { firstMs: 100, maxMs: 5_000 })));
  expect(some.size).toBeGreaterThan(10);
});

test("a pause ends with its time, or with the signal, and never with an error", async () => {
  const begun = performance.now();
  await pause(30, new AbortController().signal);
  expect(performance.now() - begun).toBeGreaterThan(25);
  await pause(60_000, AbortSignal.abort());
  await pause(60_000, AbortSignal.timeout(10));
  expect(performance.now() - begun).toBeLessThan(1_000);
});
