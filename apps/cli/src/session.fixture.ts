import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "./main.ts";
import { processTerminal } from "./process-terminal.ts";
import type { Terminal } from "./terminal.ts";

export interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A person with a folder and a keyboard. */
export interface Session extends Disposable {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): string;
  read(name: string): string;
  /** One command line, with what comes on standard input. */
  run(args: readonly string[], more?: { readonly stdin?: string } & Partial<Terminal>): Promise<Answer>;
}

export function session(env: Readonly<Record<string, string>> = {}): Session {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  const path = (name: string): string => join(folder, name);
  return {
    folder,
    path,
    write(name, text) {
      writeFileSync(path(name), text);
      return path(name);
    },
    read: (name) => readFileSync(path(name), "utf8"),
    async run(args, { stdin = "", ...more } = {}) {
      let [out, err] = ["", ""];
      const files = processTerminal(new AbortController().signal);
      const terminal: Terminal = {
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        readText: async (name) => (name === "-" ? stdin : files.readText(name)),
        askSecret: async () => undefined,
        env: { DOCKER_CONFIG: folder, ...env },
        color: false,
        signal: new AbortController().signal,
        exitWith: () => {},
        ...more,
      };
      return { code: await main(args, terminal), out, err };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A finished TaskRun that built an image. */
export function taskRunYaml(image = "registry.example/app", digest = `sha256:${"a3".repeat(32)}`): string {
  return `# a comment that stays
apiVersion: tekton.dev/v1
kind: TaskRun
metadata:
  name: build
  namespace: ci
  uid: 8e1c1b2e-0000-4000-8000-000000000001
spec:
  serviceAccountName: default
status:
  conditions:
    - type: Succeeded
      status: "True"
  startTime: "2026-01-01T00:00:00Z"
  completionTime: "2026-01-01T00:01:00Z"
  results:
    - name: IMAGE_URL
      type: string
      value: ${image}
    - name: IMAGE_DIGEST
      type: string
      value: ${digest}
`;
}
