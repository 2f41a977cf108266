import { Command } from "commander";
import { explainRun } from "./explain-statement.ts";
import { explanationText } from "./explain-statement-text.ts";
import { jsonText, type OutputForm, outputOption } from "./output-option.ts";
import { processTerminal } from "./process-terminal.ts";
import { batchAnswer, linesOf } from "./statement-batch.ts";
import { configFrom, noFile, type ReadText, runsFrom, type StatementInput } from "./statement-input.ts";
import { payloadsOf } from "./statement-payloads.ts";
import type { Terminal } from "./terminal.ts";

interface Options {
  readonly children?: readonly string[];
  readonly config?: string;
  readonly set?: readonly string[];
  readonly batch?: boolean;
  readonly explain?: boolean;
  readonly output: OutputForm;
}

/** `countersign statement`: what would be signed for a run, without signing anything. */
export function statementCommand(terminal: Terminal = processTerminal(new AbortController().signal)): Command {
  return new Command("statement")
    .description("Print the payloads that would be signed for a run, one per line.")
    .argument("[files...]", 'TaskRuns or PipelineRuns, JSON or YAML; "-" is standard input')
    .option("--children <files...>", "the TaskRuns of a PipelineRun")
    .option("--config <file>", "a chains-config ConfigMap, or a map of its keys")
    .option("-c, --set <key=value>", "one key of chains-config (repeatable)", (value, earlier: readonly string[] = []) => [
      ...earlier,
      value,
    ])
    .option("--batch", "answer requests on standard input, one JSON object per line")
    .option("--explain", "say for every entry where it came from, and for every near miss what to change")
    .addOption(outputOption())
    .addHelpText("after", examples)
    .action(async (files: readonly string[], { batch, explain, output, ...options }: Options) => {
      if (batch) return answerBatch(terminal);
      if (files.length === 0) throw noFile();
      const answer = explain ? explanations : statements;
      for (const text of await answer({ files, ...options }, (path) => terminal.readText(path), output)) terminal.out(text);
    });
}

/** The payloads in the order in which the controller would sign them. */
export async function statements(input: StatementInput, read: ReadText, output: OutputForm = "text"): Promise<readonly string[]> {
  const { config } = await configFrom(input, read);
  const payloads = (await runsFrom(input, read))
    .flatMap((run) => payloadsOf(run, config))
    .map(({ artifact, payload: { format, body } }) => ({ artifact: artifact.fullKey, format, payload: new TextDecoder().decode(body) }));
  return output === "json" ? [jsonText({ payloads })] : payloads.map(({ payload }) => `${payload}\n`);
}

/** One text per run. */
export async function explanations(input: StatementInput, read: ReadText, output: OutputForm = "text"): Promise<readonly string[]> {
  const { config } = await configFrom(input, read);
  const runs = (await runsFrom(input, read)).map((run) => explainRun(run, config));
  return output === "json" ? [jsonText({ runs })] : runs.map((explanation) => `${explanationText(explanation)}\n`);
}

async function answerBatch(terminal: Terminal): Promise<void> {
  for await (const line of linesOf(process.stdin)) if (line.trim() !== "") terminal.out(`${batchAnswer(line)}\n`);
}

const examples = `
Examples:
  countersign statement run.yaml
  countersign statement pipelinerun.yaml --children build.yaml test.yaml -c artifacts.pipelinerun.format=slsa/v2alpha4
  kubectl get taskrun build -o json | countersign statement - --explain

Exit codes: 0 printed; 3 a file cannot be read, a run or the configuration is refused.
`;
