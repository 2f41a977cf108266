import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CountersignError } from "@countersign/core";
import { Command } from "commander";
import { explainRun } from "./explain-statement.ts";
import { explanationText } from "./explain-statement-text.ts";
import { batchAnswer, linesOf } from "./statement-batch.ts";
import { configFrom, type ReadText, runsFrom, type StatementInput } from "./statement-input.ts";
import { payloadsOf } from "./statement-payloads.ts";

interface Options {
  readonly children?: readonly string[];
  readonly config?: string;
  readonly set?: readonly string[];
  readonly batch?: boolean;
  readonly explain?: boolean;
}

/** `countersign statement`: what would be signed for a run, without signing anything. */
export function statementCommand(): Command {
  return new Command("statement")
    .description("print the payloads that would be signed for a run, one per line")
    .argument("[files...]", 'TaskRuns or PipelineRuns, JSON or YAML; "-" is standard input')
    .option("--children <files...>", "the TaskRuns of a PipelineRun")
    .option("--config <file>", "a chains-config ConfigMap, or a map of its keys")
    .option("-c, --set <key=value>", "one key of chains-config (repeatable)", (value, earlier: readonly string[] = []) => [
      ...earlier,
      value,
    ])
    .option("--batch", "answer requests on standard input, one JSON object per line")
    .option("--explain", "say for every entry where it came from, and for every near miss what to change")
    .action(async (files: readonly string[], options: Options) => {
      if (options.batch) return answerBatch();
      if (files.length === 0)
        throw new CountersignError("read.no-file", 'name at least one file, or "-" for standard input', { retry: "never" });
      const lines = options.explain ? explanations : statementLines;
      for (const line of await lines({ files, ...options }, readText)) process.stdout.write(`${line}\n`);
    });
}

/** The payloads as text, in the order in which the controller would sign them. */
export async function statementLines(input: StatementInput, read: ReadText): Promise<readonly string[]> {
  const { config } = await configFrom(input, read);
  const runs = await runsFrom(input, read);
  return runs.flatMap((run) => payloadsOf(run, config)).map(({ payload }) => new TextDecoder().decode(payload.body));
}

/** One text per run. */
export async function explanations(input: StatementInput, read: ReadText): Promise<readonly string[]> {
  const { config } = await configFrom(input, read);
  return (await runsFrom(input, read)).map((run) => explanationText(explainRun(run, config)));
}

const readText: ReadText = async (path) => {
  try {
    return path === "-" ? await text(process.stdin) : await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CountersignError("read.no-file", `cannot read ${path} (${code ?? "unknown reason"})`, { retry: "never", cause });
  }
};

async function answerBatch(): Promise<void> {
  for await (const line of linesOf(process.stdin)) {
    if (line.trim() !== "") process.stdout.write(`${batchAnswer(line)}\n`);
  }
}
