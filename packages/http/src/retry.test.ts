import { expect, test } from "vitest";
import { backOff, retryAfterMs } from "./retry.ts";

test("Retry-After in seconds, as a date, in the past, as nonsense, and beyond belief", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const of = (value: string): number | undefined => retryAfterMs({ "retry-after": value }, now);
  expect(of("3")).toBe(3000);
  expect(of("Thu, 01 Jan 2026 00:00:07 GMT")).toBe(7000);
  expect(of("Thu, 01 Jan 2025 00:00:07 GMT")).toBe(0);
  expect(of("soon")).toBeUndefined();
  expect(of("99999999999")).toBe(3_600_000);
  expect(retryAfterMs({})).toBeUndefined();
});

test("back-off doubles, with full jitter, up to five seconds", () => {
  for (let retry = 0; retry < 40; retry += 1) {
    expect(backOff(retry)).toBeLessThanOrEqual(Math.min(5000, 250 * 2 ** retry));
    expect(backOff(retry)).toBeGreaterThanOrEqual(0);
  }
});
