const hex = (seed: number): string => Array.from({ length: 64 }, (_, i) => ((seed * 7919 + i * 104_729) % 16).toString(16)).join("");

const script = `#!/usr/bin/env bash
set -euo pipefail
echo "building $(params.IMAGE) from $(params.CONTEXT)"
buildah bud --storage-driver=vfs --format=oci --tls-verify=true --no-cache -f ./Dockerfile -t "$(params.IMAGE)" .
if [ -n "$PARAM_EXTRA" ] && [ "$PARAM_EXTRA" != "none" ]; then
  buildah push --digestfile /tmp/digest "docker://$(params.IMAGE)" && cat /tmp/digest > $(results.IMAGE_DIGEST.path)
fi
`;

const steps = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `step${i}`,
    image: `registry.example.com/tools/step${i}:v1.${i}`,
    command: ["/bin/bash", "-c"],
    args: ["--verbose", `--name=step${i}`, "--output=/workspace/out"],
    computeResources: { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "100m", memory: "256Mi" } },
    env: [
      { name: "HOME", value: "/tekton/home" },
      { name: "PARAM_EXTRA", value: "$(params.EXTRA)" },
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "build-token", key: "token" } } },
    ],
    securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 65532 },
    volumeMounts: [{ name: "varlibcontainers", mountPath: "/var/lib/containers" }],
    script,
  }));

/** A TaskRun as a cluster answers it, managed fields included; about `bytes` long. */
export function sampleTaskRun(bytes: number, index = 0): string {
  const build = (padding: string): string => {
    const taskSpec = {
      params: [
        { name: "IMAGE", type: "string", description: "Where to push" },
        { name: "CONTEXT", type: "string", default: "." },
        { name: "EXTRA", type: "array", default: ["a", "b"] },
      ],
      description: padding,
      results: [
        { name: "IMAGE_URL", type: "string" },
        { name: "IMAGE_DIGEST", type: "string" },
      ],
      steps: steps(bytes > 10_000 ? 5 : 2),
      volumes: [{ name: "varlibcontainers", emptyDir: {} }],
      workspaces: [{ name: "source" }],
    };
    return JSON.stringify({
      apiVersion: "tekton.dev/v1",
      kind: "TaskRun",
      metadata: {
        annotations: { "pipeline.tekton.dev/release": "v1.15.0", "example.com/commit": hex(index).slice(0, 40) },
        creationTimestamp: "2026-03-01T10:00:00Z",
        finalizers: ["chains.tekton.dev"],
        generation: 1,
        labels: {
          "app.kubernetes.io/managed-by": "tekton-pipelines",
          "tekton.dev/pipelineTask": `task-${index}`,
          "tekton.dev/task": "buildah",
        },
        managedFields: [
          {
            apiVersion: "tekton.dev/v1",
            fieldsType: "FieldsV1",
            fieldsV1: {
              "f:metadata": { "f:labels": { ".": {}, "f:tekton.dev/task": {} } },
              "f:spec": { ".": {}, "f:params": {}, "f:taskRef": {} },
            },
            manager: "controller",
            operation: "Update",
            time: "2026-03-01T10:00:00Z",
          },
        ],
        name: `build-${index}`,
        namespace: "ci",
        resourceVersion: "812931",
        uid: `7b6f3c1e-0000-4000-8000-${String(index).padStart(12, "0")}`,
      },
      spec: {
        params: [
          { name: "IMAGE", value: `registry.example.com/team/app-${index}:latest` },
          { name: "CONTEXT", value: "./services/app" },
        ],
        serviceAccountName: "builder",
        taskRef: { kind: "Task", resolver: "git", params: [{ name: "url", value: "https://git.example.com/tasks" }] },
        timeout: "1h0m0s",
        workspaces: [{ name: "source", persistentVolumeClaim: { claimName: "source" } }],
      },
      status: {
        completionTime: "2026-03-01T10:05:00Z",
        conditions: [
          {
            lastTransitionTime: "2026-03-01T10:05:00Z",
            message: "All Steps have completed executing",
            reason: "Succeeded",
            status: "True",
            type: "Succeeded",
          },
        ],
        podName: `build-${index}-pod`,
        provenance: {
          featureFlags: { awaitSidecarReadiness: true, coschedule: "workspaces", enableAPIFields: "beta", maxResultSize: 4096 },
          refSource: {
            digest: { sha1: hex(index + 3).slice(0, 40) },
            entryPoint: "tasks/buildah.yaml",
            uri: "git+https://git.example.com/tasks.git",
          },
        },
        results: [
          { name: "IMAGE_URL", type: "string", value: `registry.example.com/team/app-${index}` },
          { name: "IMAGE_DIGEST", type: "string", value: `sha256:${hex(index)}` },
          { name: "CHAINS-GIT_URL", type: "string", value: "https://git.example.com/team/app" },
          { name: "CHAINS-GIT_COMMIT", type: "string", value: hex(index + 5).slice(0, 40) },
        ],
        startTime: "2026-03-01T10:00:00Z",
        steps: steps(bytes > 10_000 ? 5 : 2).map((_, i) => ({
          container: `step-step${i}`,
          imageID: `registry.example.com/tools/step${i}@sha256:${hex(i)}`,
          name: `step${i}`,
          terminated: {
            containerID: `containerd://${hex(i + 9)}`,
            exitCode: 0,
            finishedAt: "2026-03-01T10:04:59Z",
            reason: "Completed",
            startedAt: "2026-03-01T10:00:05Z",
          },
          terminationReason: "Completed",
        })),
        taskSpec,
      },
    });
  };
  const bare = build("");
  return build("Builds an image from a Dockerfile and pushes it. ".repeat(2000).slice(0, Math.max(0, bytes - bare.length)));
}

/** A PipelineRun and the texts of its children. */
export function samplePipelineRun(children: number, childBytes: number): { readonly text: string; readonly children: readonly string[] } {
  const tasks = Array.from({ length: children }, (_, i) => ({
    name: `task-${i}`,
    taskRef: { resolver: "git", params: [{ name: "url", value: "https://git.example.com/tasks" }] },
    params: [{ name: "IMAGE", value: i === 0 ? "app" : `$(tasks.task-${i - 1}.results.IMAGE_URL)` }],
  }));
  const spec = { params: [{ name: "revision", type: "string", default: "main" }], tasks };
  const text = JSON.stringify({
    apiVersion: "tekton.dev/v1",
    kind: "PipelineRun",
    metadata: { labels: { "tekton.dev/pipeline": "build" }, name: "build", namespace: "ci", uid: "7b6f3c1e-1111-4000-8000-000000000000" },
    spec: {
      pipelineRef: { name: "build" },
      params: [{ name: "revision", value: "v1" }],
      taskRunTemplate: { serviceAccountName: "builder" },
    },
    status: {
      childReferences: tasks.map(({ name }, i) => ({
        apiVersion: "tekton.dev/v1",
        kind: "TaskRun",
        name: `build-${i}`,
        pipelineTaskName: name,
      })),
      completionTime: "2026-03-01T11:00:00Z",
      conditions: [{ lastTransitionTime: "2026-03-01T11:00:00Z", reason: "Succeeded", status: "True", type: "Succeeded" }],
      pipelineSpec: spec,
      startTime: "2026-03-01T10:00:00Z",
    },
  });
  return { text, children: Array.from({ length: children }, (_, i) => sampleTaskRun(childBytes, i)) };
}
