import { Command } from "commander";
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
    load: async (terminal) => (await import("./statement.ts")).statementCommand(terminal),
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
    name: "inspect",
    summary: "show what is attached to an image, believing none of it",
    load: async (terminal) => (await import("./inspect.ts")).inspectCommand(terminal),
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

Exit codes: 0 done; 1 the answer is no (refused, problems found); 2 usage; 3 could not be done; 10 to 13 as \`cosign verify\`, of images; 130 interrupted.
`;

/** The program with the one command that this command line names. */
export async function programFor(args: readonly string[], terminal: Terminal): Promise<Command> {
  const named = args[0] === "help" ? args[1] : args[0];
  return program((name) => name === named, terminal);
}

/** The program with all of its commands: for those who describe it. */
export const wholeProgram = (terminal: Terminal): Promise<Command> => program(() => true, terminal);

async function program(isNeeded: (name: string) => boolean, terminal: Terminal): Promise<Command> {
  const whole = new Command("countersign")
    .description("Provenance for Tekton runs: print it, sign it, store it, verify it.")
    .addHelpText("after", examples)
    .showHelpAfterError("See `countersign --help`.")
    .version("0.1.0", "-v, --version", "print the version")
    .helpCommand("help [command]", "explain a command");
  for (const { name, summary, load } of entries) {
    if (isNeeded(name)) whole.addCommand((await load(terminal)).summary(summary));
    else whole.command(name).description(summary);
  }
  obedient(whole, terminal);
  return whole;
}

/** Nothing inside calls process.exit, and every word goes through the terminal. */
function obedient(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) });
  for (const inner of command.commands) obedient(inner.showHelpAfterError(`See \`${wordsOf(inner)} --help\`.`), terminal);
}

const wordsOf = (command: Command): string => (command.parent ? `${wordsOf(command.parent)} ${command.name()}` : command.name());
