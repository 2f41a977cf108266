import { Command } from "commander";
import colors from "picocolors";
import type { AttestAnswer, RunAnswer } from "./attest-files.ts";
import { exitCode } from "./exit-code.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import { printable } from "./printable.ts";
import { runName } from "./run-name.ts";
import { table } from "./table.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly signingSecrets?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly children?: readonly string[];
  readonly write?: boolean;
  readonly output: OutputForm;
}

/** `countersign attest`: what the controller does, on files and with this machine's registry logins. */
export function attestCommand(terminal: Terminal): Command {
  return new Command("attest")
    .description("Sign the provenance of finished runs and store it where chains-config says, without a cluster.")
    .argument("<files...>", 'TaskRuns or PipelineRuns, JSON or YAML; "-" is standard input')
    .option("--signing-secrets <folder>", "folder with cosign.key and cosign.password, or x509.pem; keyless signing needs none")
    .option("--config <file>", "a chains-config ConfigMap, or a map of its keys")
    .option(
      "-c, --set <key=value>",
      "one key of chains-config, stronger than the file (repeatable)",
      (value, earlier: readonly string[] = []) => [...earlier, value],
    )
    .option("--children <files...>", "the TaskRuns of a PipelineRun")
    .option("--write", "write the annotations of the tekton storage back into the files instead of printing them")
    .addOption(outputOption())
    .addHelpText("after", examples)
    .action(async (files: readonly string[], { output, ...options }: Options) => {
      const { attestFiles } = await import("./attest-files.ts");
      const answer = await attestFiles({ files, ...options }, terminal);
      const { yellow, red } = colors.createColors(terminal.color);
      for (const sentence of answer.warnings) terminal.err(`${yellow("warning")}  ${printable(sentence)}\n`);
      terminal.out(
        output === "json" ? jsonText(answer) : answer.runs.map((run) => runText(run, answer.written, terminal.color)).join("\n"),
      );
      const failures = failuresOf(answer);
      for (const [sentence, routes] of failures) terminal.err(`${red("failed")}  ${routes.join(", ")}: ${printable(sentence)}\n`);
      if (failures.size > 0) terminal.exitWith(exitCode.failed);
    });
}

/** Sentence to the routes that failed by it: a missing key is said once. */
function failuresOf({ runs }: AttestAnswer): ReadonlyMap<string, readonly string[]> {
  const failures = new Map<string, string[]>();
  for (const { route, failures: own } of runs.flatMap(({ routes }) => routes))
    for (const { sentence } of own) failures.set(sentence, [...(failures.get(sentence) ?? []), route]);
  return failures;
}

function runText({ run, routes, annotations }: RunAnswer, written: AttestAnswer["written"], color: boolean): string {
  const { bold, dim } = colors.createColors(color);
  const title = `${bold(runName(run))} ${dim(run.uid)}\n`;
  const rows = routes.flatMap(({ route, stored, failures }) => {
    const places = stored.flatMap(({ uris }) => (uris.length > 0 ? uris : ["nothing to store there"]));
    return [...places, ...(places.length === 0 && failures.length > 0 ? ["not stored, see below"] : [])].map((place) => [
      `  ${route}`,
      printable(place),
    ]);
  });
  const nothing = rows.length === 0 ? "  nothing to attest: every kind of artifact is turned off\n" : "";
  const entries = Object.entries(annotations);
  if (entries.length === 0) return `${title}${table(rows)}${nothing}`;
  if (written.length > 0) return `${title}${table(rows)}  ${entries.length} annotations written to ${written.join(", ")}\n`;
  const lines = entries.map(([key, value]) => `    ${key}: ${JSON.stringify(value)}\n`).join("");
  return `${title}${table(rows)}\nAnnotations for the run (--write puts them into the file):\n\nmetadata:\n  annotations:\n${lines}`;
}

const examples = `
Settings, formats and storages are those of chains-config (docs/configuration.md). Registries are entered with the logins of docker or podman.
Signatures are deterministic: attesting twice stores once.

Examples:
  countersign attest run.yaml --signing-secrets ./signing-secrets -c artifacts.taskrun.storage=oci
  countersign attest run.yaml --signing-secrets ./signing-secrets --write          # annotations, as the tekton storage keeps them
  kubectl get taskrun build -o json | countersign attest - --signing-secrets ./signing-secrets --config chains-config.yaml
  countersign attest pipelinerun.yaml --children build.yaml test.yaml --signing-secrets ./signing-secrets -o json
  countersign attest run.yaml -c signers.x509.fulcio.enabled=true -c transparency.enabled=true

Exit codes: 0 everything is stored; 3 something is not, the rest is.
`;
