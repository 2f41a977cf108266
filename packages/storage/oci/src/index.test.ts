import { expect, test } from "vitest";
import * as door from "./index.ts";

test("what goes through the door", () => {
  expect(Object.keys(door).sort()).toEqual([
    "credentialSourceNames",
    "credentialSources",
    "dockerKeychain",
    "inOrder",
    "ociStorage",
    "secretsKeychain",
  ]);
});
