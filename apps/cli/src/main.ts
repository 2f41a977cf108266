import { CommanderError } from "commander";
import { exitCode } from "./exit-code.ts";
import { programFor } from "./program.ts";
import { speltOutFlags } from "./spelt-out-flags.ts";
import type { Terminal } from "./terminal.ts";

/** Runs one command line (without the program's name) and answers its exit code. It never throws. */
export async function main(args: readonly string[], terminal?: Terminal): Promise<number> {
  if (terminal) return run(args, terminal);
  const { processTerminal } = await import("./process-terminal.ts");
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new DOMException("interrupted", "AbortError"));
  process.once("SIGINT", onInterrupt);
  try {
    return await run(args, processTerminal(stop.signal));
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

async function run(args: readonly string[], surroundings: Terminal): Promise<number> {
  let code: number = exitCode.ok;
  const terminal: Terminal = {
    ...surroundings,
    exitWith(next) {
      code = next;
    },
  };
  try {
    await (await programFor(args, terminal)).parseAsync(speltOutFlags(args), { from: "user" });
    return code;
  } catch (error) {
    return codeFrom(error, args, terminal);
  }
}

async function codeFrom(error: unknown, args: readonly string[], terminal: Terminal): Promise<number> {
  if (terminal.signal.aborted || (error as Error | undefined)?.name === "AbortError") return exitCode.interrupted;
  // help and version end this way too, with 0; everything else that commander complains about is the command line
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { faultOf } = await import("./fault.ts");
  const { code, sentences } = faultOf(error);
  for (const sentence of sentences) terminal.err(`countersign: ${sentence}\n`);
  // Not by default: a message that is not ours may repeat its input.
  if (terminal.env["COUNTERSIGN_DEBUG"]) terminal.err(`${(error as Error | undefined)?.stack ?? error}\n`);
  if (wantsJson(args)) terminal.out(`${JSON.stringify({ error: { code, sentences } }, null, 2)}\n`);
  return exitCode.failed;
}

const wantsJson = (args: readonly string[]): boolean =>
  args.some((arg, i) => /^(--output=|-o)json$/.test(arg) || (/^(-o|--output)$/.test(arg) && args[i + 1] === "json"));
