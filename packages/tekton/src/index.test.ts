import { expect, test } from "vitest";
import * as api from "./index.ts";

test("the package's door", () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "RawJson",
      "SourceText",
      "byBytes",
      "completedChildren",
      "containerImageMaterials",
      "containerImages",
      "digestFault",
      "entriesOf",
      "goJson",
      "goTrim",
      "hints",
      "imageCandidates",
      "imageIdFault",
      "imagesOf",
      "isByproduct",
      "materialsOf",
      "normalise",
      "pairsOf",
      "paramValueJson",
      "parseDigest",
      "parseImageReference",
      "parseRun",
      "pipelineInputs",
      "plainSubjects",
      "protoJson",
      "protoText",
      "refSourceEntries",
      "refSourceEntry",
      "shortestText",
      "sourceNodeText",
      "statementBody",
      "stepInputs",
      "structuredValue",
      "subjectsOf",
      "taskInputs",
      "tasksOf",
      "textOf",
      "withoutScheme",
    ]
  `);
});
