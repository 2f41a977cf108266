import PQueue from "p-queue";
import { expect, test } from "vitest";
import { type LaneOptions, LaneQueue } from "./lane-queue.ts";

const drain = (queue: LaneQueue): string[] => {
  const names: string[] = [];
  for (let work = queue.dequeue(); work; work = queue.dequeue()) names.push(String((work as unknown as { label: string }).label));
  return names;
};
const named = (label: string) => Object.assign(async () => label, { label });
const fill = (entries: readonly (readonly [string, LaneOptions])[]): LaneQueue => {
  const queue = new LaneQueue();
  for (const [label, options] of entries) queue.enqueue(named(label), options);
  return queue;
};

test("live work goes first, but nothing starves", () => {
  const queue = fill([
    ...Array.from({ length: 10 }, (_, n) => [`b${n}`, { lane: "backlog", finishedAt: n }] as const),
    ...Array.from({ length: 10 }, (_, n) => [`l${n}`, { lane: "live" }] as const),
  ]);
  const order = drain(queue);
  expect(order.slice(0, 2)).toEqual(["l0", "l1"]);
  expect(order.slice(0, 10).filter((label) => label.startsWith("b")).length).toBe(1);
  expect(order).toHaveLength(20);
});

test("the backlog is worked off youngest first", () => {
  const queue = fill([3, 9, 1, 7].map((finishedAt) => [`${finishedAt}`, { lane: "backlog", finishedAt }] as const));
  expect(drain(queue)).toEqual(["9", "7", "3", "1"]);
});

test("namespaces take turns", () => {
  const queue = fill([
    ["a1", { namespace: "a" }],
    ["a2", { namespace: "a" }],
    ["a3", { namespace: "a" }],
    ["b1", { namespace: "b" }],
  ]);
  expect(drain(queue)).toEqual(["a1", "b1", "a2", "a3"]);
});

test("filter and remove find what was queued", () => {
  const queue = fill([
    ["x", { id: "x", namespace: "a" }],
    ["y", { id: "y", namespace: "b" }],
  ]);
  expect(queue.filter({ namespace: "b" })).toHaveLength(1);
  queue.remove("x");
  queue.remove("not there");
  expect([queue.size, drain(queue), queue.size]).toEqual([1, ["y"], 0]);
});

test("p-queue takes it as its queue", async () => {
  const queue = new PQueue<LaneQueue, LaneOptions>({ concurrency: 1, queueClass: LaneQueue as never, autoStart: false });
  const order: string[] = [];
  for (const lane of ["backlog", "recent", "live"] as const) void queue.add(async () => order.push(lane), { lane } as never);
  queue.start();
  await queue.onIdle();
  expect(order).toEqual(["live", "recent", "backlog"]);
});
