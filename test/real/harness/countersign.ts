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
