import { readFile } from "node:fs/promises";
import { main } from "countersign";
import { tempFolder } from "./temp-folder.ts";

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const home = tempFolder("countersign-home");

/** Our command line, in this process: a hundred starts of Node.js would take longer than all the rest. It finds no settings of anybody. */
export async function countersign(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
  let [stdout, stderr] = ["", ""];
  const code = await main(args, {
    out: (text) => {
      stdout += text;
    },
    err: (text) => {
      stderr += text;
    },
    readText: (name) => readFile(name, "utf8"),
    askSecret: async () => undefined,
    env: { HOME: home, DOCKER_CONFIG: home, ...env },
    color: false,
    signal: AbortSignal.timeout(60_000),
    exitWith: () => undefined,
  });
  return { code, stdout, stderr };
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
