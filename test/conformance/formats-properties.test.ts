import { parseConfig } from "@countersign/config";
import { CountersignError } from "@countersign/core";
import { checkSlsaV1, checkSlsaV02, parseStatement, slsaV02PredicateType } from "@countersign/in-toto-attestation";
import { parseRun, type SourceNode, SourceText, sourceNodeText } from "@countersign/tekton";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { batchAnswer } from "../../apps/cli/src/statement-batch.ts";
import { payloadsOf } from "../../apps/cli/src/statement-payloads.ts";
import { corpus, corpusCases } from "./formats-corpus.ts";
import { ownRuns } from "./own-runs/own-runs.ts";

const requests = corpus.isThere ? corpusCases() : ownRuns().map(({ name, request }) => ({ id: name, group: name, request }));
const some = corpus.isThere ? "of the recorded runs" : "of our own runs";

describe("whatever the text", () => {
  const texts = fc.oneof(fc.string(), fc.json(), fc.json({ maxDepth: 8, noUnicodeString: false }), runLike());
  const formats = ["in-toto", "slsa/v1", "slsa/v2alpha3", "slsa/v2alpha4"];
  test("parseRun and every formatter throw CountersignErrors only", () => {
    const property = fc.property(texts, fc.constantFrom(...formats), fc.array(texts, { maxLength: 2 }), (text, format, children) => {
      const { config } = parseConfig({ "artifacts.taskrun.format": format, "artifacts.pipelinerun.format": format });
      try {
        payloadsOf(parseRun(text, { children, kind: "PipelineRun" }), config);
      } catch (error) {
        expect(error).toSatisfy(CountersignError.is);
        expect(error).toMatchObject({ retry: "never", code: expect.stringMatching(/^(read|format)\./) });
      }
    });
    fc.assert(property, { numRuns: 3000 });
  });
});

/** Objects with a run's outline and anything at all inside. */
function runLike(): fc.Arbitrary<string> {
  const anything = fc.jsonValue({ maxDepth: 3 });
  const results = fc.array(
    fc.record(
      { name: fc.constantFrom("IMAGES", "IMAGE_URL", "IMAGE_DIGEST", "x-ARTIFACT_OUTPUTS", "CHAINS-GIT_COMMIT"), value: anything },
      { requiredKeys: [] },
    ),
  );
  const named = fc.array(fc.record({ name: fc.string(), value: anything }, { requiredKeys: [] }));
  const status = fc.record(
    {
      results,
      steps: fc.array(fc.record({ name: fc.string(), imageID: fc.string(), results }, { requiredKeys: [] })),
      taskSpec: fc.record({ params: named }),
      startTime: fc.string(),
    },
    { requiredKeys: [] },
  );
  const run = fc.record(
    {
      kind: fc.constantFrom("TaskRun", "PipelineRun"),
      metadata: fc.record({ labels: fc.dictionary(fc.string(), fc.string()) }),
      spec: fc.record({ params: named }),
      status,
    },
    { requiredKeys: ["kind"] },
  );
  return run.map((value) => JSON.stringify(value));
}

describe(`a payload ${some}`, () => {
  test("is the same every time", () => {
    for (const { request } of requests) expect(batchAnswer(request)).toBe(batchAnswer(request));
  });

  test("parses with our own reader of statements and provenance", () => {
    let statements = 0;
    for (const { request, id } of requests) {
      const { artifacts = [] } = JSON.parse(batchAnswer(request)) as { artifacts?: readonly { type: string; payload: string }[] };
      for (const { type, payload } of artifacts) {
        if (type === "oci") continue;
        const { predicate, predicateType } = parseStatement(payload);
        expect(() => (predicateType === slsaV02PredicateType ? checkSlsaV02 : checkSlsaV1)(predicate), id).not.toThrow();
        statements++;
      }
    }
    expect(statements).toBeGreaterThan(requests.length * 0.9);
  });

  // what is kept as text has the order it had: odd parameter values, managed fields and custom specs in whole TaskRuns
  const keepText = corpus.isThere
    ? new Set([
        "param-raw-json",
        "param-types",
        "numbers",
        "hint-artifact-outputs",
        "embedded-taskrun",
        "kitchen-sink-taskrun",
        "kitchen-sink-pipelinerun",
        "golden",
      ])
    : new Set(["param-values-v02", "param-values-alpha3", "param-values-alpha4", "half-surrogates", "whole-children"]);
  test("does not depend on the order of keys", () => {
    const shuffled: string[] = [];
    for (const [seed, { group, id, request }] of requests.entries()) {
      if (keepText.has(group)) continue;
      const other = sourceNodeText(reordered(new SourceText(request).tree(), seed));
      if (batchAnswer(other) !== batchAnswer(request)) shuffled.push(`${group} ${id}`);
    }
    expect(shuffled).toEqual([]);
  });

  test("does not mind fields that it does not know", () => {
    for (const { request, id } of requests) {
      const tree = new SourceText(request).tree() as Map<string, SourceNode>;
      const before = batchAnswer(sourceNodeText(tree));
      expect(batchAnswer(sourceNodeText(withUnknown(tree))), id).toBe(before);
    }
  });
});

/** The members of every object in another order. */
function reordered(node: SourceNode, seed: number): SourceNode {
  if (typeof node === "string") return node;
  if (Array.isArray(node)) return node.map((item) => reordered(item, seed + 1));
  const members = [...node].map(([key, member]): [string, SourceNode] => [key, reordered(member, seed + 1)]);
  const turn = members.length === 0 ? 0 : seed % members.length;
  return new Map([...members.slice(turn), ...members.slice(0, turn)].reverse());
}

/** A field that nobody knows in the objects that are structs for certain. */
function withUnknown(request: Map<string, SourceNode>): SourceNode {
  const runs = [request.get("object"), ...((request.get("taskRuns") as SourceNode[] | undefined) ?? [])];
  for (const run of runs) {
    if (!(run instanceof Map)) continue;
    for (const part of [run, run.get("metadata"), run.get("spec"), run.get("status")]) {
      if (part instanceof Map) part.set("unknown-field", '{"__proto__":[1.5,{"a":null}],"b":"c"}');
    }
  }
  return request;
}
