import { expect, test } from "vitest";
import { fakeClock } from "./fake-clock.ts";

test("time stands still until it is moved", async () => {
  const clock = fakeClock(1000);
  const rung: string[] = [];
  clock.after(50, () => rung.push(`late ${clock.now()}`));
  clock.after(20, () => rung.push(`early ${clock.now()}`));
  const cancel = clock.after(30, () => rung.push("never"));
  cancel();
  expect(clock.next()).toBe(1020);
  await clock.advance(49);
  expect([rung, clock.now()]).toEqual([["early 1020"], 1049]);
  await clock.advance(1);
  expect(rung).toEqual(["early 1020", "late 1050"]);
  expect(clock.next()).toBeUndefined();
});

test("what a bell sets off rings within the same move", async () => {
  const clock = fakeClock(0);
  const at: number[] = [];
  const again = (): void => {
    at.push(clock.now());
    if (at.length < 3) clock.after(10, again);
  };
  clock.after(10, again);
  await clock.advance(100);
  expect(at).toEqual([10, 20, 30]);
});

test("a sleeper wakes in time, or with the reason of the abort", async () => {
  const clock = fakeClock(0);
  const controller = new AbortController();
  const woken = clock.sleep(10).then(() => clock.now());
  const aborted = clock.sleep(20, controller.signal).catch((error: unknown) => error);
  await clock.advance(15);
  expect(await woken).toBe(10);
  controller.abort("enough");
  expect(await aborted).toBe("enough");
  await expect(clock.sleep(1, controller.signal)).rejects.toBe("enough");
  expect(clock.next()).toBeUndefined();
});
