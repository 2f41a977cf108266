import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CountersignError } from "@countersign/core";
import { askSecret } from "./ask-secret.ts";
import type { Terminal } from "./terminal.ts";

/** The terminal, pipe or job that this process was started in. */
export function processTerminal(signal: AbortSignal): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: (line) => void stdout.write(line),
    err: (line) => void stderr.write(line),
    readText,
    askSecret: async (question) => (process.stdin.isTTY ? askSecret(question, process.stdin, stderr, signal) : undefined),
    env,
    // https://no-color.org, and FORCE_COLOR for pipes that can show it
    color: !env["NO_COLOR"] && env["TERM"] !== "dumb" && (Boolean(env["FORCE_COLOR"]) || Boolean(stdout.isTTY)),
    signal,
    exitWith(code) {
      process.exitCode = code;
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? "unknown reason";
    const words: Readonly<Record<string, string>> = {
      ENOENT: "there is no such file",
      EACCES: "permission denied",
      EISDIR: "it is a directory",
    };
    throw new CountersignError("read.no-file", `${path} cannot be read: ${words[reason] ?? reason}`, { retry: "never" });
  }
}
