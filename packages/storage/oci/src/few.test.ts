import { expect, test } from "vitest";
import { few } from "./few.ts";

test("so many at a time, answers in order, failures among them", async () => {
  let running = 0;
  let most = 0;
  const settled = await few([1, 2, 3, 4, 5, 6, 7], 3, async (n) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 8 - n));
    running -= 1;
    if (n === 2) throw new Error("two");
    return n * n;
  });
  expect(most).toBe(3);
  expect(settled.map((one) => ("value" in one ? one.value : "failed"))).toEqual([1, "failed", 9, 16, 25, 36, 49]);
  expect(await few([], 3, async () => 1)).toEqual([]);
});
