import { expect, test } from "vitest";
import { turn, turnsTaken } from "./turn.ts";

const alive = new AbortController().signal;

test("one at a time for each key, in the order of asking, whatever became of the one before", async () => {
  const log: string[] = [];
  const work = (name: string) => async (): Promise<string> => {
    log.push(`${name} in`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name} out`);
    if (name === "a") throw new Error("a");
    return name;
  };
  const settled = await Promise.allSettled([turn("x", alive, work("a")), turn("x", alive, work("b")), turn("y", alive, work("c"))]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  expect(log.filter((line) => !line.startsWith("c"))).toEqual(["a in", "a out", "b in", "b out"]);
  expect(log.indexOf("c in")).toBeLessThan(log.indexOf("a out"));
  expect(turnsTaken()).toBe(0);
});

test("an abort while waiting rejects at once, and the work is left out", async () => {
  const gate = Promise.withResolvers<undefined>();
  const first = turn("x", alive, () => gate.promise);
  const stop = new AbortController();
  let ran = false;
  const waiting = turn("x", stop.signal, async () => {
    ran = true;
  });
  stop.abort("enough");
  await expect(waiting).rejects.toBe("enough");
  gate.resolve(undefined);
  await first;
  await turn("x", alive, async () => undefined);
  expect(ran).toBe(false);
});
