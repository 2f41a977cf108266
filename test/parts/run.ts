import { spawn } from "node:child_process";
import { setPriority } from "node:os";

/** Runs a program to its end and returns what it printed; throws its last words when it fails. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; gently?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ["ignore", "pipe", "pipe"] });
    if (options.gently && child.pid !== undefined) setPriority(child.pid, 10);
    let out = "";
    let words = "";
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      words = (words + chunk).slice(-4000);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(out);
      const last = (words || out).trim().split("\n").slice(-4).join(" | ");
      reject(new Error(`${command} ${args[0]} ended with ${code ?? signal}${last ? `: ${last}` : ""}`));
    });
  });
}

export async function has(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args).then(
    () => true,
    () => false,
  );
}
