import { execFile } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

export const root: string = join(import.meta.dirname, "../../..");

/** `node` is the one that runs this test: strangers have a supported one. */
const strangers = {
  ...process.env,
  CI: "1",
  NO_COLOR: "1",
  TURBO_TELEMETRY_DISABLED: "1",
  PATH: [dirname(process.execPath), process.env["PATH"]].join(delimiter),
};
const ownTools = join(root, "node_modules/.bin");
const ours = { ...strangers, PATH: [ownTools, strangers.PATH].join(delimiter) };

export interface Said {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command said. @throws Error with all of it when it did not end with 0 */
export const run = (command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = strangers): Promise<Said> =>
  promisify(execFile)(command, args, { cwd, env, maxBuffer: 64 * 2 ** 20 }).catch((error) => {
    throw new Error(`${command} ${args.join(" ")} ended with ${error.code}:\n${error.stdout}\n${error.stderr}`);
  });

/** A tool of this workspace: turbo, pnpm, tsc. */
export const tool = (name: string, args: readonly string[], cwd: string): Promise<Said> => run(join(ownTools, name), args, cwd, ours);
