import { expect, test } from "vitest";
import { selector } from "./selector.ts";

const object = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "one", labels: { tier: "a", "tekton.dev/pipelineRun": "pr", empty: "" } },
  involvedObject: { name: "x" },
};

test.each([
  ["", true],
  ["tier=a", true],
  ["tier==a", true],
  ["tier=b", false],
  ["tier!=b", true],
  ["none!=b", true],
  ["tier", true],
  ["none", false],
  ["!none", true],
  ["!tier", false],
  ["tier in (b, a)", true],
  ["tier in (b,c)", false],
  ["tier notin (b,c)", true],
  ["none in (a)", false],
  ["tekton.dev/pipelineRun=pr,tier in (a,b),!none", true],
  ["empty=", true],
])("labelSelector %j: %s", (labelSelector, expected) => {
  expect(selector(new URLSearchParams({ labelSelector }))(object)).toBe(expected);
});

test.each([
  ["metadata.name=one", true],
  ["metadata.name!=one", false],
  ["metadata.name=one,metadata.namespace=", true],
  ["involvedObject.name=x", true],
  ["involvedObject.name=y", false],
])("fieldSelector %j: %s", (fieldSelector, expected) => {
  expect(selector(new URLSearchParams({ fieldSelector }))(object)).toBe(expected);
});
