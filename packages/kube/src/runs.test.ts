import { HttpError } from "@countersign/http";
import { expect, test } from "vitest";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { KubeError, statusOf } from "./kube-error.ts";
import { clusterRuns } from "./runs.ts";

const signal = new AbortController().signal;
const name = { kind: "PipelineRun", namespace: "team a", name: "pipe" } as const;
function answering(answer: string | Error) {
  const asked: KubeRequest[] = [];
  const request = async (one: KubeRequest) => {
    asked.push(one);
    return answer instanceof Error ? Promise.reject(answer) : answer;
  };
  return { asked, runs: clusterRuns({ request } as unknown as KubeConnection) };
}

test("a run is the very text of the answer", async () => {
  const text = '{ "b": 1.0, "a": 9007199254740993 }';
  const { asked, runs } = answering(text);
  expect(await runs.get(name, { signal })).toBe(text);
  expect(asked).toMatchObject([
    { verb: "get", resource: "pipelineruns", path: "/apis/tekton.dev/v1/namespaces/team%20a/pipelineruns/pipe" },
  ]);
});

test("children by label, each in its own spelling", async () => {
  const { asked, runs } = answering('{"metadata":{},"items":[{"n":1.0}, {"n":2.50}]}');
  expect(await runs.children(name, { signal })).toEqual(['{"n":1.0}', '{"n":2.50}']);
  expect(asked).toMatchObject([
    { verb: "list", path: "/apis/tekton.dev/v1/namespaces/team%20a/taskruns", query: { labelSelector: "tekton.dev/pipelineRun=pipe" } },
  ]);
});

test("whose failure it is stands in front", async () => {
  const down = answering(new HttpError("connect", "GET x: connection refused")).runs;
  await expect(down.get(name, { signal })).rejects.toMatchObject({
    code: "read.api-unreachable",
    retry: "wait",
    message: /^PipelineRun team a\/pipe could not be read/,
  });
  await expect(down.children(name, { signal })).rejects.toMatchObject({ message: /^the TaskRuns of PipelineRun team a\/pipe/ });
  const ref = { ...name, uid: "u" };
  const refused = answering(new KubeError("no", statusOf(500, {}))).runs;
  await expect(refused.annotate(ref, {}, { signal })).rejects.toMatchObject({
    code: "mark.api-refused",
    message: /could not be annotated/,
  });
  await expect(refused.finalizers(ref, [], { signal })).rejects.toMatchObject({ message: /^the finalizer of PipelineRun/ });
});
