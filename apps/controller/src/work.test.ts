import { fakeClock } from "@countersign/testing";
import { expect, test } from "vitest";
import { type Next, type Work, type WorkOptions, workOn } from "./work.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Visits that end when the test says so. */
function bench(more: Partial<WorkOptions> = {}) {
  const clock = fakeClock(0);
  const visits: string[] = [];
  const open = new Map<string, { end: (next?: Next) => void; fail: (error: unknown) => void }>();
  const seen: string[] = [];
  const work: Work = workOn({
    concurrency: 2,
    clock,
    optionsOf: (id) => ({ id }),
    afterThrow: (key, error) => {
      seen.push(`threw ${key} ${(error as Error).message}`);
      return 1_000;
    },
    visit(key) {
      visits.push(key);
      const { promise, resolve, reject } = Promise.withResolvers<Next>();
      open.set(key, { end: (next = "settled") => resolve(next), fail: reject });
      return promise;
    },
    watcher: {
      queued: (key) => seen.push(`queued ${key}`),
      retried: (key) => seen.push(`retried ${key}`),
      started: (key, ms) => seen.push(`started ${key} ${ms}`),
      ended: (key, ms) => seen.push(`ended ${key} ${ms}`),
    },
    ...more,
  });
  const end = async (key: string, next?: Next) => {
    open.get(key)?.end(next);
    await turn();
  };
  return { work, clock, visits, seen, end, fail: (key: string, error: Error) => open.get(key)?.fail(error) };
}

test("ten events for a key are one visit; nothing is visited before the start", async () => {
  const { work, visits } = bench();
  for (let n = 0; n < 10; n++) work.add("a");
  await turn();
  expect([visits, work.size]).toEqual([[], 1]);
  work.start();
  await turn();
  expect([visits, work.size, work.isRunning("a"), [...work.running]]).toEqual([["a"], 1, true, ["a"]]);
});

test("a key is never visited twice at a time; events during its visit are one more visit after it", async () => {
  const { work, visits, end } = bench();
  work.start();
  work.add("a");
  await turn();
  for (let n = 0; n < 5; n++) work.add("a");
  await turn();
  expect(visits).toEqual(["a"]);
  await end("a");
  expect(visits).toEqual(["a", "a"]);
  await end("a");
  await turn();
  expect([visits.length, work.size, work.isRunning("a")]).toEqual([2, 0, false]);
});

test("an event during the visit is worth more than the wait that the visit asks for", async () => {
  const { work, visits, end, clock } = bench();
  work.start();
  work.add("a");
  await turn();
  work.add("a");
  await end("a", { againInMs: 60_000 });
  expect([visits.length, work.waiting, clock.next()]).toEqual([2, 0, undefined]);
});

test("as many at once as allowed", async () => {
  const { work, visits, end } = bench();
  work.start();
  for (const key of "abc") work.add(key);
  await turn();
  expect([visits, work.size]).toEqual([["a", "b"], 3]);
  await end("a");
  expect(visits).toEqual(["a", "b", "c"]);
});

test("a wait ends with its time, or with an event, and then only once", async () => {
  const { work, visits, end, clock } = bench();
  work.start();
  work.add("a");
  await turn();
  await end("a", { againInMs: 5_000 });
  expect([work.waiting, work.size]).toEqual([1, 0]);
  await clock.advance(4_999);
  expect(visits).toHaveLength(1);
  await clock.advance(1);
  await turn();
  expect([visits.length, work.waiting]).toEqual([2, 0]);
  await end("a", { againInMs: 5_000 });
  work.add("a");
  await turn();
  expect([visits.length, work.waiting]).toEqual([3, 0]);
  await end("a");
  await clock.advance(10_000);
  expect(visits).toHaveLength(3);
});

test("a visit that throws comes again when it is told, and keeps nobody from their turn", async () => {
  const { work, visits, seen, fail, clock } = bench({ concurrency: 1 });
  work.start();
  work.add("a");
  work.add("b");
  await turn();
  fail("a", new Error("boom"));
  await turn();
  expect(seen).toContain("threw a boom");
  expect([visits, work.waiting]).toEqual([["a", "b"], 1]);
  await clock.advance(1_000);
  expect(work.size).toBe(2);
});

test("stop: what is queued or waits is dropped, visits under way are waited for", async () => {
  const { work, visits, end, clock } = bench();
  work.start();
  for (const key of "abc") work.add(key);
  await turn();
  await end("b", { againInMs: 1_000 });
  await turn();
  expect(visits).toEqual(["a", "b", "c"]);
  work.add("d");
  let stopped = false;
  const stop = work.stop().then(() => {
    stopped = true;
  });
  work.add("e");
  await end("c", { againInMs: 1 });
  expect(stopped).toBe(false);
  await end("a");
  await stop;
  await clock.advance(5_000);
  expect([visits, work.waiting]).toEqual([["a", "b", "c"], 0]);
  await bench().work.stop();
});

test("the watcher sees queueing, waiting and visiting, with times", async () => {
  const { work, seen, end, clock } = bench();
  work.add("a");
  await clock.advance(30);
  work.start();
  await turn();
  await clock.advance(7);
  await end("a", { againInMs: 1 });
  work.add("b");
  work.add("b");
  expect(seen).toEqual(["queued a", "started a 30", "retried a", "ended a 7", "queued b", "started b 0"]);
});

test("those that need not wait any longer are visited now, once, and the others in their time", async () => {
  const { work, clock, visits, end } = bench();
  work.start();
  for (const key of ["a", "b"]) work.add(key);
  await turn();
  for (const key of ["a", "b"]) await end(key, { againInMs: 60_000 });
  work.wake((key) => key === "a");
  await turn();
  expect([visits, work.waiting]).toEqual([["a", "b", "a"], 1]);
  await end("a");
  await clock.advance(60_000);
  expect(visits).toEqual(["a", "b", "a", "b"]);
});
