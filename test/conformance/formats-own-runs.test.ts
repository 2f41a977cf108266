import { expect, test } from "vitest";
import { golden, goldenNames, goldenText, ownRuns } from "./own-runs/own-runs.ts";

const hint =
  "the payload of a run has changed: if that is meant, run `node test/conformance/own-runs/own-runs.ts` and review the difference";

test.each(ownRuns())("$name has the payloads that were reviewed", ({ name, request }) => {
  expect(goldenText(request), hint).toBe(golden(name));
});

test("there are some sixty, under one name each, and no golden file is left over", () => {
  const names = ownRuns().map(({ name }) => name);
  expect(names.length).toBeGreaterThanOrEqual(60);
  expect([...goldenNames()].sort()).toEqual([...new Set(names)].sort());
});
