import { run } from "../../parts/run.ts";
import { tempFolder } from "./temp-folder.ts";

let primed: Promise<string> | undefined;

/**
 * For tests that start the controller dozens of times and kill it before it could keep what it compiled: its environment, with a cache that one
 * orderly process has filled. Halves each start.
 */
export async function compileCache(): Promise<{ readonly NODE_COMPILE_CACHE: string }> {
  primed ??= prime();
  return { NODE_COMPILE_CACHE: await primed };
}

async function prime(): Promise<string> {
  const folder = tempFolder("compile-cache");
  const controller = `${import.meta.dirname}/../../../apps/controller/src/bin.ts`;
  await run(process.execPath, [controller, "--help"], { env: { ...process.env, NODE_COMPILE_CACHE: folder } });
  return folder;
}
