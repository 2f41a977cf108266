import { expect, test } from "vitest";
import { pace, span } from "./pace.ts";

const call = { signal: new AbortController().signal };
async function waited(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
const request = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("longer than the span and two requests as slow as the slowest, also before anything was measured", async () => {
  const unknown = pace();
  expect(await waited(() => unknown.calm(call))).toBeGreaterThanOrEqual(span + 49);
  const slow = pace();
  for (const ms of [30, 60, 5]) await slow.timed(request(ms));
  expect(await waited(() => slow.calm(call))).toBeGreaterThanOrEqual(span + 2 * 60);
});

test("longer each time somebody was faster, and no more than twice as long", async () => {
  const told: number[] = [];
  const { calm, overtaken } = pace((slowest) => {
    told.push(slowest);
    return 40;
  });
  for (let i = 0; i < 20; i += 1) overtaken();
  const ms = await waited(() => calm(call));
  expect(ms).toBeGreaterThanOrEqual(79);
  expect(ms).toBeLessThan(40 * 2 * 1.5 + 100);
  expect(told).toEqual([0]);
});
