/** A finished TaskRun that says it built this image, "host/repository@sha256:…". */
export function builtRun(image: string): object {
  const [url, digest] = image.split("@");
  return {
    apiVersion: "tekton.dev/v1",
    kind: "TaskRun",
    metadata: { name: "build", namespace: "ci", uid: "0b1c" },
    spec: { taskRef: { name: "build" } },
    status: {
      startTime: "2026-01-01T00:00:00Z",
      completionTime: "2026-01-01T00:01:00Z",
      conditions: [{ type: "Succeeded", status: "True", reason: "Succeeded", lastTransitionTime: "2026-01-01T00:01:00Z" }],
      results: [
        { name: "IMAGE_URL", type: "string", value: url },
        { name: "IMAGE_DIGEST", type: "string", value: digest },
      ],
    },
  };
}
