import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the package's door", () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "base64Bytes",
      "checkSlsaV02",
      "checkSlsaV1",
      "envelopeText",
      "hintOf",
      "inTotoPayloadType",
      "keyidOf",
      "parseEnvelope",
      "parseStatement",
      "preAuthEncoding",
      "slsaV02PredicateType",
      "slsaV1PredicateType",
      "statementTypeV01",
      "statementTypeV1",
    ]
  `);
});
