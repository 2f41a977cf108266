import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the package's door", () => {
  expect(Object.keys(api).sort()).toEqual(["identityTokens", "keylessSigner", "projectedTokenFile"]);
});
