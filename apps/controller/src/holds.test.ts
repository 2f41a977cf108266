import { CountersignError } from "@countersign/core";
import { anAttestation } from "@countersign/testing";
import { expect, test } from "vitest";
import { holdsOn } from "./holds.ts";

const attestation = await anAttestation();
const missing = () => new CountersignError("sign.key-missing", "no key", { retry: "hold" });
const outcome = (route: string, ...failures: unknown[]) => ({ artifact: attestation.artifact, route, stored: [], failures });

test("the same of a route is news once, however many runs wait; all are released together, and then it is news again", () => {
  const holds = holdsOn();
  const first = missing();
  expect(holds.add("a", [outcome("r1", first), outcome("r2")])).toEqual([first]);
  expect(holds.add("b", [outcome("r1", missing())])).toEqual([]);
  expect(holds.add("b", [outcome("r2", missing())])).toHaveLength(1);
  expect(holds.size).toBe(2);
  holds.delete("a");
  holds.delete("a");
  expect([holds.size, holds.release(), holds.size]).toEqual([1, ["b"], 0]);
  expect(holds.add("a", [outcome("r1", missing())])).toHaveLength(1);
});
