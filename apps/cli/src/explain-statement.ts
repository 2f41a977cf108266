import type { ChainsConfig, RunFormat } from "@countersign/config";
import { slsaV02Entries } from "@countersign/formatters-slsa-v0.2";
import { type Dependency, slsaV1Entries } from "@countersign/formatters-slsa-v1";
import type { Entry, Origin, Run } from "@countersign/tekton";
import type { NearMiss } from "./explain-statement-near-miss.ts";
import { nearMisses } from "./explain-statement-near-misses.ts";

/** Where a run's statement comes from, entry by entry, and what nearly made it into it. */
export interface Explanation {
  readonly run: Run["ref"];
  readonly format: RunFormat;
  readonly subjects: readonly ExplainedEntry[];
  /** materials of provenance v0.2, resolvedDependencies of v1 */
  readonly dependencies: readonly ExplainedEntry[];
  readonly nearMisses: readonly NearMiss[];
}

export interface ExplainedEntry {
  /** A subject's name, a dependency's URI. */
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
  /** "task", "inputs/result", … where the format gives dependencies a name. */
  readonly label?: string;
  /** At least one. */
  readonly origins: readonly Origin[];
}

/** Made from the very lists that the formatters print, so the two cannot disagree. */
export function explainRun(run: Run, config: ChainsConfig): Explanation {
  const { format } = run.kind === "TaskRun" ? config.artifacts.taskRun : config.artifacts.pipelineRun;
  const { deepInspection } = config.artifacts.pipelineRun;
  const { subjects, dependencies } = entriesOf(run, format, config);
  return {
    run: run.ref,
    format,
    subjects: subjects.map(explained),
    dependencies: dependencies.map(explained),
    nearMisses: nearMisses(run, format, deepInspection),
  };
}

function entriesOf(
  run: Run,
  format: RunFormat,
  { artifacts, builder, buildType }: ChainsConfig,
): { subjects: readonly Entry[]; dependencies: readonly Dependency[] } {
  const { deepInspection } = artifacts.pipelineRun;
  if (format === "in-toto" || format === "slsa/v1") return slsaV02Entries(run, { deepInspection });
  return slsaV1Entries(run, { builderId: builder.id, buildType, deepInspection, format });
}

const explained = ({ name, digest, origins, label }: Dependency): ExplainedEntry => ({
  name,
  digest: Object.fromEntries(digest),
  origins,
  ...(label !== undefined && { label }),
});
