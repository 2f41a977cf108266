import { parseRun } from "@countersign/tekton";
import { describe, expect, test } from "vitest";
import { buildTypes } from "./options.ts";
import { slsaV1, slsaV1Entries } from "./slsa-v1.ts";

const options = { builderId: "https://tekton.dev/chains/v2", buildType: "", deepInspection: false, format: "slsa/v2alpha4" } as const;
const textOf = (run: string, more = {}): string => new TextDecoder().decode(slsaV1({ ...options, ...more }).format(parseRun(run)).body);
const head = '{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{';
const tail = '},"runDetails":{"builder":{"id":"https://tekton.dev/chains/v2"},"metadata":{"invocationId":"u-1"}}}}';

describe("the smallest runs", () => {
  test("a TaskRun", () => {
    expect(textOf('{"kind":"TaskRun","metadata":{"uid":"u-1"}}')).toBe(
      `${head}"buildType":"https://tekton.dev/chains/v2/slsa","externalParameters":{"runSpec":{"serviceAccountName":""}},"internalParameters":{}${tail}`,
    );
  });
  test("a PipelineRun with the build type slsa-tekton", () => {
    expect(textOf('{"kind":"PipelineRun","metadata":{"uid":"u-1"}}', { buildType: buildTypes[1] })).toBe(
      `${head}"buildType":"https://tekton.dev/chains/v2/slsa-tekton","externalParameters":{"runSpec":{"taskRunTemplate":{}}},"internalParameters":{"annotations":null,"labels":null}${tail}`,
    );
  });
});

test("a build type that Chains does not know is refused at once", () => {
  expect(() => slsaV1({ ...options, buildType: "https://example.com" })).toThrow(/builddefinition.buildtype must be one of/);
});

test("dependencies know where they came from", () => {
  const run = parseRun(
    '{"kind":"TaskRun","status":{"steps":[{"name":"s","imageID":"x@sha256:1","results":[{"name":"a-ARTIFACT_INPUTS","value":{"uri":"u","digest":"sha1:0123456789012345678901234567890123456789"}}]}]}}',
  );
  expect(
    slsaV1Entries(run, options).dependencies.map(({ name, label, origins }) => [name, label, origins[0]?.from, origins[0]?.step]),
  ).toEqual([
    ["oci://x", undefined, "step image", undefined],
    ["u", "inputs/result", "step result", "s"],
  ]);
});
