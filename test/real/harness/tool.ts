import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { type PartName, part } from "../../parts/where.ts";
import { tempFolder } from "./temp-folder.ts";

export interface Printed {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  /** Answer a failure instead of throwing it. */
  readonly mayFail?: boolean | undefined;
}

/** Tools find no settings of the person who runs the tests, and leave nothing behind in their home. */
const home = tempFolder("home");

/** Runs a tool to its end. Throws its error text when it fails, unless told that it may. */
export function tool(name: PartName, args: readonly string[], options: ToolOptions = {}): Promise<Printed> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: tmpdir(), ...options.env };
  const child = spawn(part(name), args, { env, cwd: options.cwd ?? home, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    stderr += chunk;
  });
  // A tool that does not read its input closes the pipe early.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code !== 0 && !options.mayFail) reject(new Error(`${name} ${args.join(" ")} ended with ${code ?? signal}: ${stderr || stdout}`));
      else resolve({ code: code ?? 255, stdout, stderr });
    });
  });
}

/** With `env` for COSIGN_PASSWORD and the like. */
export const cosign = (args: readonly string[], env: Readonly<Record<string, string>> = {}, options: ToolOptions = {}): Promise<Printed> =>
  tool("cosign", args, { ...options, env: { ...options.env, ...env } });
