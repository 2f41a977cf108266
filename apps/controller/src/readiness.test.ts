import { expect, test } from "vitest";
import { unreadyBecause } from "./readiness.ts";

test.each([
  [{ config: "chains-config: no", synced: false, held: 2 }, /^chains-config: no$/],
  [{ config: undefined, synced: false, held: 2 }, /being listed/],
  [{ config: undefined, synced: true, held: 2 }, /^2 runs are on hold/],
])("%j", (facts, why) => expect(unreadyBecause(facts)).toMatch(why));

test("ready", () => expect(unreadyBecause({ config: undefined, synced: true, held: 0 })).toBeUndefined());
