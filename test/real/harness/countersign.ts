import { execFile } from "node:child_process";
import { tempFolder } from "./temp-folder.ts";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const program = `${import.meta.dirname}/../../../apps/cli/src/bin.ts`;
const home = tempFolder("countersign-home");

/** Our command line in a process of its own, with no settings of whoever runs the tests. */
export function countersign(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
  return new Promise((resolve) => {
    const surroundings = { PATH: process.env["PATH"] ?? "", HOME: home, ...env };
    execFile(process.execPath, [program, ...args], { env: surroundings }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr });
    });
  });
}

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
