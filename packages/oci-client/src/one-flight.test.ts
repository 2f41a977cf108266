import { expect, test } from "vitest";
import { oneFlight } from "./one-flight.ts";

const alive = new AbortController().signal;

test("who comes while it is under way shares the outcome, good or bad; who comes later asks again", async () => {
  const flight = oneFlight<number>();
  let asked = 0;
  const work = async (): Promise<number> => {
    asked += 1;
    const mine = asked;
    await new Promise((resolve) => setImmediate(resolve));
    if (mine === 2) throw new Error("no");
    return mine;
  };
  expect(await Promise.all([flight("x", alive, work), flight("x", alive, work), flight("x", alive, work)])).toEqual([1, 1, 1]);
  const failed = await Promise.allSettled([flight("x", alive, work), flight("x", alive, work)]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asked).toBe(2);
  expect(await Promise.all([flight("x", alive, work), flight("y", alive, work)])).toEqual([3, 4]);
});

test("an abort of the first is no outcome for the others; an abort while waiting is prompt", async () => {
  const flight = oneFlight<string>();
  const [first, second] = [new AbortController(), new AbortController()];
  const until = (signal: AbortSignal): Promise<string> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("cut")), { once: true }));
  const one = flight("x", first.signal, () => until(first.signal));
  const two = flight("x", alive, async () => "two");
  const three = flight("x", second.signal, async () => "three");
  second.abort("enough");
  await expect(three).rejects.toBe("enough");
  first.abort("gone");
  await expect(one).rejects.toBe("gone");
  expect(await two).toBe("two");
});
