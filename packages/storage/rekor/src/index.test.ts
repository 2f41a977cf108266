import { expect, test } from "vitest";
import * as rekor from "./index.ts";

test("what strangers may use", () => {
  expect(Object.keys(rekor).sort()).toEqual(["rekorStorage", "rekorWitness", "timestampWitness"]);
});
