import { type ChildProcess, spawn } from "node:child_process";
import { atExit } from "./at-exit.ts";

export interface Server {
  /** Everything it printed so far, at most the last megabyte. */
  logs(): string;
  /** SIGKILL: a polite stop of an API server waits for every open watch. Harmless when it is gone already. */
  stop(): Promise<void>;
}

const running = new Map<ChildProcess, { title: string; logs: () => string }>();
atExit(() => {
  for (const child of running.keys()) child.kill("SIGKILL");
});

/** What every server that still runs has to say: printed when a test fails. */
export const lastWords = (lines = 15): string =>
  [...running.values()].map(({ title, logs }) => `--- ${title}\n${logs().split("\n").slice(-lines).join("\n")}`).join("\n");

/** Starts a server and waits until `ready` gives an answer; what it printed is part of the error when it does not come up. */
export async function startServer<T>(
  title: string,
  command: string,
  args: readonly string[],
  options: { ready: (logs: string) => Promise<T | undefined> | T | undefined; env?: NodeJS.ProcessEnv; timeoutMs?: number },
): Promise<Server & { answer: T }> {
  const child = spawn(command, args, { env: options.env ?? process.env, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let end: string | undefined;
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk).slice(-1_000_000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const gone = new Promise<void>((resolve) => {
    const over = (what: string): void => {
      end = what;
      running.delete(child);
      resolve();
    };
    child.once("error", (error) => over(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => over(`ended with ${code ?? signal}`));
  });
  running.set(child, { title, logs: () => printed });
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await gone;
  };

  const deadline = Date.now() + (options.timeoutMs ?? 60_000);
  for (;;) {
    const answer = await Promise.resolve(options.ready(printed)).catch(() => undefined);
    if (answer !== undefined) return { answer, logs: () => printed, stop };
    if (end !== undefined) throw new Error(`${title} ${end}:\n${printed.slice(-3000)}`);
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${title} was not ready in time:\n${printed.slice(-3000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
