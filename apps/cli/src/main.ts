import { Command, CommanderError } from "commander";
import { exitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** One line of the overview, and where its command is; a command's code is loaded only when it is asked for. */
interface Entry {
  readonly name: string;
  readonly summary: string;
  load(terminal: Terminal): Promise<Command>;
}

const entries: readonly Entry[] = [
  {
    name: "statement",
    summary: "print what would be signed for a run, without signing",
    load: async () => (await import("./statement.ts")).statementCommand(),
  },
  {
    name: "attest",
    summary: "sign and store the provenance of finished runs, without a cluster",
    load: async (terminal) => (await import("./attest.ts")).attestCommand(terminal),
  },
  {
    name: "verify",
    summary: "check who signed an image or a run, and what they said",
    load: async (terminal) => (await import("./verify.ts")).verifyCommand(terminal),
  },
  {
    name: "keys",
    summary: "make a signing key",
    load: async (terminal) => (await import("./keys.ts")).keysCommand(terminal),
  },
  {
    name: "check-config",
    summary: "say what a chains-config means, before it is applied",
    load: async (terminal) => (await import("./check-config.ts")).checkConfigCommand(terminal),
  },
];

const examples = `
Examples:
  countersign keys generate ./signing-secrets
  countersign attest run.yaml --signing-secrets ./signing-secrets -c artifacts.taskrun.storage=tekton --write
  countersign verify run run.yaml --key ./signing-secrets/cosign.pub
  countersign verify image registry.example/app:1.0 --key cosign.pub --type slsaprovenance
  kubectl get cm chains-config -n tekton-chains -o yaml | countersign check-config -

Exit codes: 0 done; 1 the answer is no (refused, problems found); 2 usage; 3 could not be done; 130 interrupted.
`;

/** Runs one command line (without the program's name) and answers its exit code. It never throws. */
export async function main(args: readonly string[], terminal?: Terminal): Promise<number> {
  if (terminal) return run(args, terminal, () => 0);
  const { processTerminal } = await import("./process-terminal.ts");
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort(new DOMException("interrupted", "AbortError"));
  process.once("SIGINT", onInterrupt);
  try {
    const own = processTerminal(stop.signal);
    return await run(args, own, () => own.code);
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

async function run(args: readonly string[], given: Terminal, codeOf: () => number): Promise<number> {
  let code: number | undefined;
  const terminal: Terminal = {
    ...given,
    exitWith(next) {
      code = next;
      given.exitWith(next);
    },
  };
  try {
    await (await programFor(args, terminal)).parseAsync(args, { from: "user" });
    return code ?? codeOf();
  } catch (error) {
    return codeFrom(error, args, terminal);
  }
}

async function programFor(args: readonly string[], terminal: Terminal): Promise<Command> {
  const program = new Command("countersign")
    .description("Provenance for Tekton runs: print it, sign it, store it, verify it.")
    .addHelpText("after", examples)
    .showHelpAfterError("See `countersign --help`.")
    .version("0.1.0", "-v, --version", "print the version")
    .helpCommand("help [command]", "explain a command");
  const named = args[0] === "help" ? args[1] : args[0];
  for (const { name, summary, load } of entries) {
    if (name === named) program.addCommand((await load(terminal)).summary(summary));
    else program.command(name, { hidden: false }).description(summary);
  }
  obedient(program, terminal);
  return program;
}

/** Nothing inside calls process.exit, and every word goes through the terminal. */
function obedient(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  for (const inner of command.commands) obedient(inner.showHelpAfterError(`See \`${wordsOf(inner)} --help\`.`), terminal);
}

const wordsOf = (command: Command): string => (command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name());

async function codeFrom(error: unknown, args: readonly string[], terminal: Terminal): Promise<number> {
  if (terminal.signal.aborted || (error as Error | undefined)?.name === "AbortError") return exitCode.interrupted;
  // help and version end this way too, with 0; everything else that commander complains about is the command line
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  const { faultOf } = await import("./fault.ts");
  const { code, sentences } = faultOf(error);
  for (const sentence of sentences) terminal.err(`countersign: ${sentence}\n`);
  if (wantsJson(args)) terminal.out(`${JSON.stringify({ error: { code, sentences } }, null, 2)}\n`);
  return exitCode.failed;
}

const wantsJson = (args: readonly string[]): boolean =>
  args.some((arg, i) => /^(--output=|-o)json$/.test(arg) || (/^(-o|--output)$/.test(arg) && args[i + 1] === "json"));
