import { CountersignError } from "@countersign/core";
import { describe, expect, test } from "vitest";
import { assertFits, marksOf, mildestOf } from "./marks.ts";

const at = (retries?: string) => (retries === undefined ? {} : { "chains.tekton.dev/retries": retries });
const failure = (retry: "never" | "counted" | "wait" | "hold") => new CountersignError("store.x", "x", { retry });

describe("marks", () => {
  test.each([
    [undefined, undefined, { signed: "true" }],
    ["2", undefined, { signed: "true" }],
    [undefined, "counted", { retries: "0" }],
    ["0", "counted", { retries: "1" }],
    ["1", "counted", { retries: "2" }],
    ["2", "counted", { retries: "3" }],
    ["3", "counted", { signed: "failed", retries: "3" }],
    ["", "counted", { signed: "failed", retries: "3" }],
    ["x", "counted", { signed: "failed", retries: "3" }],
    ["-1", "counted", { signed: "failed", retries: "3" }],
    [undefined, "never", { signed: "failed", retries: "3" }],
    [undefined, "wait", undefined],
    ["3", "hold", undefined],
  ] as const)("retries %j and %s give %j", (retries, mildest, wanted) => {
    const named = wanted && Object.fromEntries(Object.entries(wanted).map(([key, value]) => [`chains.tekton.dev/${key}`, value]));
    expect(marksOf(at(retries), mildest)).toEqual(named);
  });

  test("the mildest failure decides, and an unknown exception is counted", () => {
    expect(mildestOf([])).toBeUndefined();
    expect(mildestOf([failure("never"), failure("counted"), failure("wait"), failure("hold")])).toBe("hold");
    expect(mildestOf([failure("never"), failure("counted")])).toBe("counted");
    expect(mildestOf([new TypeError("bug")])).toBe("counted");
  });

  test("annotations that the API server would refuse are refused before, counted with what stands there", () => {
    expect(() => assertFits({ a: "x".repeat(200_000) }, { b: "x".repeat(62_142) })).not.toThrow();
    expect(() => assertFits({ a: "x".repeat(200_000) }, { b: "x".repeat(62_143) })).toThrow(/262144/);
    expect(() => assertFits({ b: "x".repeat(200_000) }, { b: "x".repeat(200_000) })).not.toThrow();
  });
});
