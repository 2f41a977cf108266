import { expect, test } from "vitest";
import { CountersignError, retryOf } from "./errors.ts";

test("an error is known by its marker, so a second copy of the package is no stranger", () => {
  const foreign = Object.assign(new Error("x"), { [Symbol.for("@countersign/error")]: true, code: "store.refused", retry: "wait" });
  expect(CountersignError.is(foreign)).toBe(true);
  expect(retryOf(foreign)).toBe("wait");
});

test("an unknown exception is counted", () => {
  expect(retryOf(new TypeError("bug"))).toBe("counted");
  expect(retryOf("a string")).toBe("counted");
  expect(retryOf(undefined)).toBe("counted");
});
