import { inputMaterials } from "./artifact-results.ts";
import { containerImageMaterials } from "./container-images.ts";
import { pipelineGitMaterials, stepGitMaterials, taskGitMaterials } from "./git-hints.ts";
import { type Entry, MergedList } from "./merged-list.ts";
import type { RefSource } from "./objects.ts";
import type { Place } from "./origin.ts";
import { completedChildren } from "./pipeline-tasks.ts";
import type { PipelineRun, Run, TaskRun } from "./run.ts";

const noDigest: ReadonlyMap<string, string> = new Map();

/** What went into a run, as provenance v0.2 lists it. */
export const materialsOf = (run: Run, deepInspection: boolean): readonly Entry[] =>
  new MergedList().appendAll(run.kind === "TaskRun" ? taskMaterials(run) : pipelineMaterials(run, deepInspection)).entries;

const taskMaterials = (run: TaskRun): readonly Entry[] => [...containerImageMaterials(run), ...taskGitMaterials(run), ...ownInputs(run)];

const pipelineMaterials = (run: PipelineRun, deepInspection: boolean): readonly Entry[] => [
  ...refSourceEntries(run),
  ...completedChildren(run).flatMap((child) => [...containerImageMaterials(child), ...refSourceEntries(child)]),
  ...pipelineInputs(run, deepInspection),
];

/** What a TaskRun itself says about its inputs. */
export const taskInputs = (run: TaskRun): readonly Entry[] =>
  new MergedList().appendAll([...taskGitMaterials(run), ...ownInputs(run)]).entries;

/** What a PipelineRun, and with deep inspection its children, say about their inputs. */
export const pipelineInputs = (run: PipelineRun, deepInspection: boolean): readonly Entry[] =>
  new MergedList().appendAll([
    ...ownInputs(run),
    ...(deepInspection ? completedChildren(run).flatMap((child) => [...taskGitMaterials(child), ...ownInputs(child)]) : []),
    ...pipelineGitMaterials(run),
  ]).entries;

/** What the steps of a TaskRun say: first the git hints of all steps, then their structured inputs. */
export function stepInputs(run: TaskRun): readonly Entry[] {
  const steps = (run.object.status?.steps ?? []).map(({ name = "", results = [] }) => ({
    results,
    place: { run: run.ref, step: name } satisfies Place,
  }));
  const git = steps.flatMap(({ results, place }) => stepGitMaterials(results, place));
  const inputs = steps.flatMap(({ results, place }) => inputMaterials(results, place));
  return new MergedList().appendAll([...git, ...inputs]).entries;
}

/** The images of steps and sidecars, each once. */
export const containerImages = (run: TaskRun): readonly Entry[] => new MergedList().appendAll(containerImageMaterials(run)).entries;

const ownInputs = (run: Run): readonly Entry[] => inputMaterials(run.results, { run: run.ref });

/** Where a run's task or pipeline came from; no entry where nobody recorded it. */
export const refSourceEntries = (run: Run): readonly Entry[] => (run.refSource ? [refSourceEntry(run.refSource, { run: run.ref })] : []);

export const refSourceEntry = (refSource: RefSource, place: Place): Entry => ({
  name: refSource.uri ?? "",
  digest: refSource.digest ?? noDigest,
  origins: [{ ...place, from: "refSource", names: [] }],
  refSource,
});
