import { CountersignError } from "@countersign/core";
import { expect, test } from "vitest";
import { patienceOf } from "./patience.ts";

const down = (retryAfterMs?: number) => new CountersignError("store.down", "down", { retry: "wait", retryAfterMs });
const at = (now = 0) =>
  patienceOf(
    () => now,
    () => 0.5,
  );

test("counted: 2, 4, 8, 16 s by the mark that was just written, whatever it says", () => {
  const next = (retries: string | undefined) => at().next("u", "counted", [], retries);
  expect(["0", "1", "2", "3"].map(next)).toEqual([2_000, 4_000, 8_000, 16_000]);
  expect([undefined, "", "x", "-5", "1e9", "NaN"].map(next)).toEqual([2_000, 2_000, 2_000, 2_000, 32_000, 2_000]);
});

test("outages: 1 s, doubling, four minutes at most, each run for itself", () => {
  const patience = at();
  const waits = Array.from({ length: 11 }, () => patience.next("u", "wait", [down()], undefined));
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(waits.at(-1)).toBe(240_000);
  expect(patience.next("other", "wait", [down()], undefined)).toBe(1_000);
});

test("not before the longest that a server asked for, and four minutes are as long as anybody is believed", () => {
  const next = (...failures: unknown[]) => at().next("u", "wait", failures, undefined);
  expect(next(down(10_000), down(60_000), new Error("x"))).toBe(60_000);
  expect(next(down(86_400_000))).toBe(240_000);
  expect(next(down(1))).toBe(1_000);
  expect(next(new CountersignError("store.x", "x", { retry: "counted", retryAfterMs: 60_000 }))).toBe(1_000);
});

test("since when, until it is forgotten", () => {
  let now = 5;
  const patience = patienceOf(() => now);
  expect(patience.failingSince("u")).toBeUndefined();
  patience.next("u", "wait", [], undefined);
  now = 9;
  patience.next("u", "wait", [], undefined);
  expect(patience.failingSince("u")).toBe(5);
  patience.next("v", "counted", [], "0");
  expect(patience.failingSince("v")).toBeUndefined();
  patience.forget("u");
  expect(patience.failingSince("u")).toBeUndefined();
});

test("jitter: runs that failed together do not come back together", () => {
  const patience = patienceOf(() => 0);
  expect(new Set(Array.from({ length: 20 }, (_, n) => patience.next(`${n}`, "wait", [], undefined))).size).toBeGreaterThan(10);
});

test("nobody comes later than five minutes after the end of an outage", () => {
  const patience = patienceOf(
    () => 0,
    () => 1,
  );
  const waits = Array.from({ length: 20 }, () => patience.next("u", "wait", [down(3_600_000)], undefined));
  expect(Math.max(...waits)).toBeLessThan(300_000);
});
