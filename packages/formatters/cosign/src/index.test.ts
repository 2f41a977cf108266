import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the package's door", () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "signV1",
      "signV1PredicateType",
      "simplesigning",
      "simplesigningMediaType",
    ]
  `);
});
