import {
  completedChildren,
  containerImages,
  type Entry,
  goJson,
  normalise,
  type PipelineRun,
  pipelineInputs,
  type Run,
  refSourceEntries,
  refSourceEntry,
  stepInputs,
  type TaskRun,
  taskInputs,
} from "@countersign/tekton";
import { isTektonBuildType, type SlsaV1Options } from "./options.ts";

/** An entry of resolvedDependencies: Entry.name is its uri, label its name. */
export interface Dependency extends Entry {
  readonly label?: string;
  /** Base64 */
  readonly content?: string;
}

/** What a run is known to have read. */
export const resolvedDependencies = (run: Run, options: SlsaV1Options): readonly Dependency[] =>
  run.kind === "TaskRun" ? ofTask(run, options) : ofPipeline(run, options);

/** The task itself is put in front afterwards, and so may repeat a later entry. */
function ofTask(run: TaskRun, { format }: SlsaV1Options): readonly Dependency[] {
  const withSteps = format === "slsa/v2alpha4";
  const others = [
    ...containerImages(run),
    ...(withSteps ? [...labelled(stepInputs(run), "inputs/result"), ...stepActions(run)] : []),
    ...labelled(taskInputs(run), "inputs/result"),
  ];
  return [...labelled(refSourceEntries(run), "task"), ...withoutRepeats(others)];
}

function ofPipeline(run: PipelineRun, options: SlsaV1Options): readonly Dependency[] {
  const withSteps = options.format === "slsa/v2alpha4";
  const children = completedChildren(run);
  return withoutRepeats([
    ...labelled(refSourceEntries(run), "pipeline"),
    ...children.flatMap((child) => [
      ...pipelineTask(child, isTektonBuildType(options.buildType)),
      ...(withSteps ? stepActions(child) : []),
      ...containerImages(child),
    ]),
    ...(withSteps && options.deepInspection ? children.flatMap((child) => labelled(stepInputs(child), "inputs/result")) : []),
    ...labelled(pipelineInputs(run, options.deepInspection), "inputs/result"),
  ]);
}

/** slsa: where the child's task came from, if that is known. slsa-tekton: always, and the whole child TaskRun as content. */
function pipelineTask(child: TaskRun, whole: boolean): readonly Dependency[] {
  const sources = labelled(refSourceEntries(child), "pipelineTask");
  if (!whole) return sources;
  const content = Buffer.from(goJson(normalise("TaskRun", child.object))).toString("base64");
  const [entry = wholeTaskRun(child)] = sources;
  return [{ ...entry, content }];
}

const wholeTaskRun = (child: TaskRun): Dependency => ({
  name: "",
  label: "pipelineTask",
  digest: new Map(),
  origins: [{ run: child.ref, from: "whole TaskRun", names: [] }],
});

/** Steps whose action was fetched from somewhere. */
function stepActions(run: TaskRun): readonly Dependency[] {
  return (run.object.status?.steps ?? []).flatMap(({ name = "", provenance }) => {
    const source = provenance?.refSource;
    return source ? labelled([refSourceEntry(source, { run: run.ref, step: name })], `stepAction/${name}`) : [];
  });
}

const labelled = (entries: readonly Entry[], label: string): readonly Dependency[] => entries.map((entry) => ({ ...entry, label }));

/** Equal uri, digest and content: dropped, whatever its name. Sources of tasks, pipelines and step actions stay in any case. */
function withoutRepeats(dependencies: readonly Dependency[]): readonly Dependency[] {
  const seen = new Set<string>();
  return dependencies.filter(({ name, digest, content = "", label = "" }) => {
    const key = JSON.stringify([name, [...digest].sort(), content]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew || label === "task" || label === "pipeline" || label.startsWith("stepAction/");
  });
}
