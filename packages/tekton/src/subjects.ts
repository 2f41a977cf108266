import { buildArtifactSubjects, outputSubjects, uriSubjects } from "./artifact-results.ts";
import { imageEntries } from "./images.ts";
import { type Entry, MergedList } from "./merged-list.ts";
import type { Result } from "./objects.ts";
import type { Place } from "./origin.ts";
import { completedChildren } from "./pipeline-tasks.ts";
import type { Run, TaskRun } from "./run.ts";

/** Which results make subjects. all: formats slsa/v1 and slsa/v2alpha3. marked: slsa/v2alpha4, which wants isBuildArtifact. */
export type SubjectRule = "all" | "marked";

/** What a run says it has made. Deep inspection lets a PipelineRun speak for its children, too. */
export function subjectsOf(run: Run, rule: SubjectRule, deepInspection: boolean): readonly Entry[] {
  if (run.kind === "TaskRun") return taskSubjects(run, rule);
  const own = resultSubjects(run.results, rule, { run: run.ref });
  const children = deepInspection ? completedChildren(run).flatMap((child) => taskSubjects(child, rule)) : [];
  // the order of the two differs between the formats, and order decides bytes
  return new MergedList().appendAll(rule === "all" ? [...children, ...own] : [...own, ...children]).entries;
}

function taskSubjects(run: TaskRun, rule: SubjectRule): readonly Entry[] {
  const own = resultSubjects(run.results, rule, { run: run.ref });
  if (rule === "all") return own;
  const steps = run.object.status?.steps ?? [];
  const ofSteps = steps.flatMap(({ name = "", results = [] }) => resultSubjects(results, rule, { run: run.ref, step: name }));
  return new MergedList().appendAll([...ofSteps, ...own]).entries;
}

function resultSubjects(results: readonly Result[], rule: SubjectRule, place: Place): readonly Entry[] {
  const images = imageEntries(results, place);
  const lists =
    rule === "all"
      ? [images, uriSubjects(results, place), outputSubjects(results, place)]
      : [buildArtifactSubjects(results, place), images];
  return new MergedList().appendAll(lists.flat()).entries;
}
