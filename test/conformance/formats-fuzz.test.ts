import { expect, test } from "vitest";
import { soakFormats } from "../bench/soak-formats.ts";

// another seed at every run finds more; the message names it, so that a find can be repeated
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000_007);

test(`10,000 broken runs are answered or refused, never more (FUZZ_SEED=${seed})`, { timeout: 240_000 }, () => {
  const { crashes, answered, refused, heap } = soakFormats({ cases: 10_000, seed });
  expect(crashes, `FUZZ_SEED=${seed}`).toEqual([]);
  // a fuzzer whose cases are all refused at the door would prove nothing
  expect(answered).toBeGreaterThan(1000);
  expect(refused).toBeGreaterThan(1000);
  const [first = 0] = heap;
  expect(Math.max(...heap), "memory grows").toBeLessThan(first + 20_000_000);
});
