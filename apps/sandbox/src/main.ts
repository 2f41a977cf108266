import pc from "picocolors";
import { parseOptions, type StoryOptions, usage } from "./options.ts";
import { type Stage, setStage } from "./stage.ts";
import { type Ending, type Narrator, tellStory } from "./story.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: StoryOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(usage);
    return 0;
  }
  const stopped = new Promise<"stopped">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("stopped"));
  });
  const begun = performance.now();
  const stage = await setStage(options.kubeconfig);
  try {
    const ending = await Promise.race([tellStory(stage, narrator(options)), stopped]);
    if (ending === "stopped") return 130;
    if (options.output === "json") process.stdout.write(`${JSON.stringify(ending, null, 2)}\n`);
    else epilogue(stage, ending, options, Math.round(performance.now() - begun));
    if (options.keep) await stopped;
    return ending.verified ? 0 : 1;
  } catch (error) {
    process.stderr.write(`The story broke off: ${(error as Error).message}\n${stage.controllerLog().split("\n").slice(-8).join("\n")}\n`);
    return 1;
  } finally {
    await stage.close();
  }
}

/** With --output json the tale goes to stderr, so that stdout stays a document. */
function narrator({ output }: StoryOptions): Narrator {
  const out = output === "json" ? process.stderr : process.stdout;
  return {
    chapter: (title) => void out.write(`\n${pc.bold(title)}\n`),
    line: (text) => void out.write(`  ${text}\n`),
  };
}

function epilogue(stage: Stage, { checks, verified }: Ending, { keep }: StoryOptions, ms: number): void {
  const good = checks.filter(({ accepted }) => accepted).length;
  const verdict = verified
    ? pc.green(`Everything verified: ${good} of ${checks.length} checks, ${ms} ms in all.`)
    : pc.red(`${checks.length - good} of ${checks.length} checks failed.`);
  process.stdout.write(`\n${verdict}\n`);
  if (!keep) {
    process.stdout.write(
      `\nLook around yourself: ${pc.bold("npm start -- --keep")} leaves it all running. On your own cluster: npm start -- --kubeconfig FILE\n`,
    );
    return;
  }
  const kubectl = `kubectl --kubeconfig ${stage.kubeconfig}`;
  const lines = [
    `${kubectl} get taskruns,pipelineruns -n ${stage.namespace}`,
    `${kubectl} get taskrun build-image -n ${stage.namespace} -o yaml`,
    `${kubectl} patch configmap chains-config -n ${stage.systemNamespace} -p='{"data":{"artifacts.taskrun.format":"slsa/v1"}}'`,
    ...checks.slice(0, 2).map(({ command }) => command),
    ...checks.slice(-1).map(({ command }) => command),
  ];
  process.stdout.write(`\nIt keeps running until Ctrl-C. To look for yourself:\n${lines.map((line) => `  ${line}`).join("\n")}\n`);
}
