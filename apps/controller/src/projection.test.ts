import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { aDigest, aPipelineRun, aTaskRun } from "@countersign/testing";
import { expect, test } from "vitest";
import { isSettled, projectionOf, sameBesidesMarks, sameState } from "./projection.ts";

const empty = {
  key: "TaskRun//",
  ref: { kind: "TaskRun", namespace: "", name: "", uid: "" },
  resourceVersion: "",
  done: false,
  deletedAt: undefined,
  finalizers: [],
  signed: undefined,
  retries: undefined,
  uploadRequest: undefined,
  managedBy: undefined,
  owner: undefined,
  children: [],
  completed: false,
  finishedAt: 0,
};

test.each([
  undefined,
  null,
  7,
  "x",
  [],
  {},
  { metadata: null, spec: 7, status: "x" },
  { metadata: { name: 7, namespace: {}, uid: [], resourceVersion: 1, finalizers: "x", annotations: "x", labels: 7, ownerReferences: {} } },
  { metadata: { finalizers: [7, null, "foreign"], annotations: { "chains.tekton.dev/signed": true, "chains.tekton.dev/retries": 3 } } },
  { metadata: { ownerReferences: [null, 7, { controller: "true", kind: "PipelineRun", apiVersion: "tekton.dev/v1", name: "p" }] } },
  { metadata: { ownerReferences: [{ controller: true, kind: "PipelineRun", apiVersion: "other.dev/v1", name: "p" }] } },
  { status: { conditions: {}, completionTime: null, childReferences: "x" } },
  { status: { conditions: [null, "Succeeded", { type: "Ready", status: "True" }] } },
  { spec: { managedBy: 7 } },
])("whatever is missing or of the wrong type counts as absent: %j", (object) => {
  expect(projectionOf("TaskRun", object)).toEqual(empty);
});

test.each([
  [[{ type: "Succeeded", status: "Unknown" }], false],
  [[{ type: "Succeeded", status: "True" }], true],
  [[{ type: "Succeeded", status: "False" }], true],
  [[{ type: "Succeeded" }], true],
  [
    [
      { type: "Ready", status: "Unknown" },
      { type: "Succeeded", status: "True" },
    ],
    true,
  ],
  [
    [
      { type: "Succeeded", status: "Unknown" },
      { type: "Succeeded", status: "True" },
    ],
    false,
  ],
  [[], false],
])("done: %j", (conditions, done) => {
  expect(projectionOf("TaskRun", { status: { conditions } }).done).toBe(done);
});

test("all that decides is kept", () => {
  const object = {
    metadata: {
      name: "build",
      namespace: "ci",
      uid: "u1",
      resourceVersion: "7",
      deletionTimestamp: "2026-01-01T00:00:01Z",
      finalizers: ["foreign", "chains.tekton.dev/taskrun", "chains.tekton.dev"],
      annotations: {
        "chains.tekton.dev/signed": "true",
        "chains.tekton.dev/retries": "2",
        "chains.tekton.dev/transparency-upload": "true",
      },
      ownerReferences: [{ controller: true, kind: "PipelineRun", apiVersion: "tekton.dev/v1", name: "pipe" }],
    },
    spec: { managedBy: "other" },
    status: { conditions: [{ type: "Succeeded", status: "True" }], completionTime: "2026-01-01T00:00:00Z" },
  };
  expect(projectionOf("TaskRun", object)).toEqual({
    ...empty,
    key: "TaskRun/ci/build",
    ref: { kind: "TaskRun", namespace: "ci", name: "build", uid: "u1" },
    resourceVersion: "7",
    done: true,
    deletedAt: Date.UTC(2026, 0, 1, 0, 0, 1),
    finalizers: ["chains.tekton.dev/taskrun", "chains.tekton.dev"],
    signed: "true",
    retries: "2",
    uploadRequest: "true",
    managedBy: "other",
    owner: "PipelineRun/ci/pipe",
    completed: true,
    finishedAt: Date.UTC(2026, 0, 1),
  });
});

test("the label names the PipelineRun where the owner reference is lost", () => {
  const metadata = { namespace: "ci", labels: { "tekton.dev/pipelineRun": "pipe" } };
  expect(projectionOf("TaskRun", { metadata }).owner).toBe("PipelineRun/ci/pipe");
});

test("under 1 kB: the projection of a run of 40 kB with everything on it", () => {
  const name = "a".repeat(63);
  const big = aTaskRun()
    .named(name, crypto.randomUUID())
    .inNamespace("n".repeat(63))
    .withFinalizer("chains.tekton.dev/taskrun")
    .withAnnotation("chains.tekton.dev/signed", "true")
    .withAnnotation("chains.tekton.dev/payload-x", "x".repeat(20_000))
    .withLabel("tekton.dev/pipelineRun", "p".repeat(63))
    .withParam("p", "x".repeat(20_000))
    .withResult("IMAGE_DIGEST", aDigest("x"));
  expect(big.text().length).toBeGreaterThan(40_000);
  expect(JSON.stringify(projectionOf("TaskRun", big.object)).length).toBeLessThan(1_024);

  // In memory, a thousand times: nothing of the text may hang on to it.
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as () => void;
  gc();
  const before = process.memoryUsage().heapUsed;
  const kept = Array.from({ length: 1_000 }, (_, n) => projectionOf("TaskRun", JSON.parse(big.named(`${name.slice(5)}${n}`).text())));
  gc();
  const each = (process.memoryUsage().heapUsed - before) / kept.length;
  expect(each).toBeLessThan(1_536);
});

test("children by kind and name; an event that changes the version alone is no news", () => {
  const child = aTaskRun().named("one").object;
  const pipe = projectionOf("PipelineRun", aPipelineRun().withChild(child, "build").object);
  expect(pipe.children).toEqual([{ kind: "TaskRun", name: "one" }]);
  expect(sameState(pipe, { ...pipe, resourceVersion: "other" })).toBe(true);
  for (const other of [
    { done: !pipe.done },
    { signed: "true" },
    { retries: "0" },
    { deletedAt: 1 },
    { finalizers: ["x"] },
    { children: [] },
  ])
    expect(sameState(pipe, { ...pipe, ...other })).toBe(false);
  expect(sameState(pipe, { ...pipe, ref: { ...pipe.ref, uid: "other" } })).toBe(false);
});

test("what our own writes change is told from what they do not", () => {
  const a = projectionOf("TaskRun", aTaskRun().running().object);
  expect(sameBesidesMarks(a, { ...a, resourceVersion: "9", finalizers: ["x"], signed: "true", retries: "1" })).toBe(true);
  for (const other of [{ done: true }, { deletedAt: 1 }, { children: [{ kind: "TaskRun", name: "x" }] }, { completed: true }])
    expect([other, sameBesidesMarks(a, { ...a, ...other })]).toEqual([other, false]);
  expect(sameBesidesMarks(a, { ...a, ref: { ...a.ref, uid: "other" } })).toBe(false);
});

test.each([
  ["true", true],
  ["failed", true],
  ["", false],
  ["True", false],
  ["false", false],
  [undefined, false],
])("signed %j ends the work: %s", (signed, settled) => {
  expect(isSettled({ signed })).toBe(settled);
});
