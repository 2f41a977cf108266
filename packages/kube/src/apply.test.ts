import type { RunRef } from "@countersign/core";
import { expect, test } from "vitest";
import type { KubeConnection, KubeRequest } from "./connection.ts";
import { KubeError, statusOf } from "./kube-error.ts";
import { clusterRuns } from "./runs.ts";

const ref: RunRef = { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" };
const signal = new AbortController().signal;
const refusal = (code: number, details: object = {}) => new KubeError(`${code}`, statusOf(code, { details }));
const conflict = () => refusal(409, { causes: [{ reason: "FieldManagerConflict", field: ".metadata.annotations" }] });

function cluster(answers: readonly (string | Error)[]) {
  const asked: KubeRequest[] = [];
  const connection = {
    async request(request: KubeRequest) {
      const answer = answers[asked.push(request) - 1];
      if (answer instanceof Error) throw answer;
      return answer ?? "{}";
    },
  } as KubeConnection;
  return { runs: clusterRuns(connection), asked };
}
const standing = (uid: string) => JSON.stringify({ metadata: { uid } });

test("one apply: uid inside, annotations in byte order, not forced", async () => {
  const { runs, asked } = cluster(["{}"]);
  await runs.annotate(ref, { "chains.tekton.dev/signed": "true", "chains.tekton.dev/cert-x": "" }, { signal });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toMatchObject({
    verb: "patch",
    contentType: "application/apply-patch+yaml",
    query: { fieldManager: "tekton-chains-controller", force: false },
  });
  expect(JSON.stringify(asked[0]?.body)).toBe(
    '{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"build","namespace":"ci","uid":"u1","annotations":{"chains.tekton.dev/cert-x":"","chains.tekton.dev/signed":"true"}}}',
  );
});

test("a field conflict is repeated with force", async () => {
  const { runs, asked } = cluster([conflict(), "{}"]);
  await runs.annotate(ref, {}, { signal });
  expect(asked.map(({ query }) => query?.["force"])).toEqual([false, true]);
});

test("another uid under the name is never forced: the run is gone", async () => {
  const { runs, asked } = cluster([refusal(409), standing("u2")]);
  await expect(runs.annotate(ref, {}, { signal })).rejects.toMatchObject({ code: "mark.gone", retry: "never", message: /another run/ });
  expect(asked.map(({ verb }) => verb)).toEqual(["patch", "get"]);
});

test("gone between conflict and force, vanished, or forbidden to create: gone as well", async () => {
  await expect(cluster([conflict(), refusal(409), standing("u2")]).runs.annotate(ref, {}, { signal })).rejects.toMatchObject({
    code: "mark.gone",
  });
  await expect(cluster([refusal(404), refusal(404)]).runs.annotate(ref, {}, { signal })).rejects.toMatchObject({
    code: "mark.gone",
    message: /deleted/,
  });
  await expect(cluster([refusal(403), refusal(404)]).runs.finalizers(ref, [], { signal })).rejects.toMatchObject({ code: "mark.gone" });
});

test("a missing verb is an outage of the cluster, not the run's failure", async () => {
  const { runs } = cluster([refusal(403), standing("u1")]);
  await expect(runs.annotate(ref, {}, { signal })).rejects.toMatchObject({ code: "mark.forbidden", retry: "wait" });
});

test("a run that does not exist is undefined", async () => {
  expect(await cluster([refusal(404)]).runs.get(ref, { signal })).toBeUndefined();
});

test("our finalizer that another manager wrote goes with a merge patch bound to the version", async () => {
  const left = JSON.stringify({ metadata: { uid: "u1", resourceVersion: "7", finalizers: ["foreign", "chains.tekton.dev/taskrun"] } });
  const { runs, asked } = cluster([left, "{}"]);
  await runs.finalizers(ref, [], { signal });
  expect(asked[1]).toMatchObject({
    contentType: "application/merge-patch+json",
    body: { metadata: { resourceVersion: "7", finalizers: ["foreign"] } },
  });
});

test("another uid, said with 422; a vanished run, said with 404; a refusal that cannot be looked into", async () => {
  await expect(cluster([refusal(422), standing("u2")]).runs.annotate(ref, {}, { signal })).rejects.toMatchObject({ code: "mark.gone" });
  await expect(cluster([refusal(404), standing("u2")]).runs.annotate(ref, {}, { signal })).rejects.toMatchObject({ code: "mark.gone" });
  await expect(cluster([refusal(409), refusal(500)]).runs.annotate(ref, {}, { signal })).rejects.toMatchObject({
    code: "mark.api-refused",
  });
});

test("a finalizer that goes on is one request, whatever else stands there", async () => {
  const standing = JSON.stringify({ metadata: { uid: "u1", finalizers: ["chains.tekton.dev", "chains.tekton.dev/taskrun"] } });
  const { runs, asked } = cluster([standing]);
  await runs.finalizers(ref, ["chains.tekton.dev/taskrun"], { signal });
  expect(asked).toMatchObject([{ body: { metadata: { uid: "u1", finalizers: ["chains.tekton.dev/taskrun"] } } }]);
});
