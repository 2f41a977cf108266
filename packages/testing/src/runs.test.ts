import { expect, test } from "vitest";
import { aDigest, aPipelineRun, aTaskRun } from "./runs.ts";

test("a TaskRun is done and whole from the start", () => {
  expect(JSON.parse(aTaskRun().text())).toMatchObject({
    apiVersion: "tekton.dev/v1",
    kind: "TaskRun",
    metadata: {
      name: "build",
      namespace: "default",
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
    },
    status: {
      conditions: [{ type: "Succeeded", status: "True" }],
      completionTime: "2026-01-01T00:01:00Z",
      steps: [{ name: "build", imageID: expect.stringMatching(/@sha256:[0-9a-f]{64}$/) }],
    },
  });
});

test("every word makes a new run and leaves the old one alone", () => {
  const plain = aTaskRun();
  const full = plain
    .named("build-1")
    .inNamespace("team")
    .withAnnotation("a", "1")
    .withAnnotation("b", "2")
    .withLabel("l", "1")
    .withFinalizer("chains.tekton.dev/taskrun")
    .withParam("revision", "main")
    .withResult("IMAGE_URL", "registry.example/app")
    .withResult("LIST", ["x"])
    .withResult("MAP", { k: "v" })
    .withServiceAccount("robot")
    .withStep("push", `registry.example/tools/crane@${aDigest("crane")}`)
    .withSpec({ timeout: "1h0m0s" });
  expect(full.object).toMatchObject({
    metadata: {
      name: "build-1",
      namespace: "team",
      annotations: { a: "1", b: "2" },
      labels: { l: "1" },
      finalizers: ["chains.tekton.dev/taskrun"],
    },
    spec: { params: [{ name: "revision", value: "main" }], serviceAccountName: "robot", timeout: "1h0m0s" },
    status: {
      results: [
        { name: "IMAGE_URL", type: "string", value: "registry.example/app" },
        { name: "LIST", type: "array", value: ["x"] },
        { name: "MAP", type: "object", value: { k: "v" } },
      ],
      steps: [{ name: "build" }, { name: "push" }],
      taskSpec: { steps: [{ name: "build" }, { name: "push", image: "registry.example/tools/crane" }] },
    },
  });
  expect(plain.object.metadata["annotations"]).toBeUndefined();
  expect(plain.object.status["results"]).toBeUndefined();
  expect(full.object.metadata.uid).not.toBe(plain.object.metadata.uid);
});

test("a run can be unfinished or failed", () => {
  const running = aTaskRun().running().object.status;
  expect(running).toMatchObject({ conditions: [{ status: "Unknown" }] });
  expect(running).not.toHaveProperty("completionTime");
  expect(aPipelineRun().failed("PipelineRunTimeout").object.status).toMatchObject({
    conditions: [{ status: "False", reason: "PipelineRunTimeout" }],
  });
});

test("parent and child know each other", () => {
  const parent = aPipelineRun().named("release-1").inNamespace("team");
  const child = aTaskRun().named("release-1-build").childOf(parent.object, "build");
  const whole = parent.withChild(child.object, "build").withServiceAccount("robot");
  expect(child.object.metadata).toMatchObject({
    namespace: "team",
    labels: { "tekton.dev/pipelineRun": "release-1", "tekton.dev/pipelineTask": "build" },
    ownerReferences: [{ kind: "PipelineRun", name: "release-1", uid: parent.object.metadata.uid, controller: true }],
  });
  expect(whole.object).toMatchObject({
    spec: { taskRunTemplate: { serviceAccountName: "robot" } },
    status: { childReferences: [{ kind: "TaskRun", name: "release-1-build", pipelineTaskName: "build" }] },
  });
});
