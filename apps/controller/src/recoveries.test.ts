import { fakeClock } from "@countersign/testing";
import { expect, test } from "vitest";
import { recoveries } from "./recoveries.ts";

test("the first is told at once; those that follow come together, ten seconds later, and none is forgotten", async () => {
  const clock = fakeClock();
  const woken: number[] = [];
  const start = clock.now();
  const recovered = recoveries(clock, () => woken.push(clock.now() - start));
  recovered();
  await clock.advance(1);
  for (let n = 0; n < 5; n += 1) recovered();
  await clock.advance(20_000);
  recovered();
  await clock.advance(1);
  expect(woken).toEqual([0, 10_000, 20_001]);
});
