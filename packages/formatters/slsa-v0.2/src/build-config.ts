import {
  type Json,
  normalise,
  type PipelineRun,
  paramValueJson,
  type Run,
  type Step,
  type StepState,
  shortestText,
  type TaskRun,
  tasksOf,
  withoutScheme,
} from "@countersign/tekton";
import { afterEach } from "./after.ts";
import { invocation } from "./invocation.ts";
import type { DigestOf } from "./materials.ts";

/** The steps of a TaskRun, or the tasks of a PipelineRun with theirs. */
export const buildConfig = (run: Run, digestOf: DigestOf): Json =>
  run.kind === "TaskRun" ? { steps: taskSteps(run) } : { tasks: pipelineTasks(run, digestOf) };

/** Steps are found in the task by name, the first of equal names; a step without a name in the task finds none. */
function taskSteps({ object: { status } }: TaskRun): Json {
  const byName = new Map<string, Step>();
  for (const step of status?.taskSpec?.steps ?? []) if (!byName.has(step.name ?? "")) byName.set(step.name ?? "", step);
  return (status?.steps ?? []).map((state) => stepJson(state, byName.get(state.name ?? "")));
}

function stepJson({ name = "", imageID = "" }: StepState, step: Step | undefined): Json {
  return {
    annotations: null,
    arguments: step?.args ?? null,
    entryPoint: step?.script || (step?.command ?? []).join(" "),
    // the step's name, although the key says container
    environment: { container: name, image: `oci://${withoutScheme(imageID)}` },
  };
}

function pipelineTasks(run: PipelineRun, digestOf: DigestOf): Json {
  if (!run.object.status?.pipelineSpec) return null;
  const tasks = tasksOf(run).filter(({ children }) => children.length > 0);
  const after = afterEach(tasks);
  return tasks.flatMap(({ task, children }, index) =>
    children.filter(isTold).map((child) => ({
      after: after[index]?.length ? after[index] : undefined,
      finishedOn: child.completionTime && shortestText(child.completionTime),
      invocation: invocation(child, digestOf),
      name: task.name || undefined,
      ref: normalise("TaskRef", task.taskRef),
      results: child.results.length === 0 ? undefined : child.results.map(resultJson),
      // the pipeline's, even where taskRunSpecs gave the task another
      serviceAccountName: run.serviceAccount || undefined,
      // a child without it kills the reference; we leave the member out
      startedOn: child.startTime && shortestText(child.startTime),
      status: taskStatus(child),
      steps: stepsByPosition(child),
    })),
  );
}

const resultJson = ({ name = "", type, value }: TaskRun["results"][number]): Json => ({
  name,
  type: type || undefined,
  value: paramValueJson(value),
});

/** Left out: unfinished children, those whose task is not known, and those whose steps do not match their task's one by one. */
function isTold({ completionTime, object: { status } }: TaskRun): boolean {
  if (completionTime === undefined || !status?.taskSpec) return false;
  const [states, steps] = [status.steps ?? [], status.taskSpec.steps ?? []];
  return states.length === steps.length && !states.some(({ name = "" }, i) => name.startsWith("unnamed-") && (steps[i]?.name ?? "") !== "");
}

function stepsByPosition({ object: { status } }: TaskRun): Json | undefined {
  const states = status?.steps ?? [];
  return states.length === 0 ? undefined : states.map((state, i) => stepJson(state, status?.taskSpec?.steps?.[i]));
}

const statusWords: Readonly<Record<string, string>> = { True: "Succeeded", False: "Failed", Unknown: "Running" };

/** Of the first condition, whatever it is about. */
function taskStatus({ object: { status } }: TaskRun): string | undefined {
  const word = status?.conditions?.[0]?.status ?? "";
  return Object.hasOwn(statusWords, word) ? statusWords[word] : undefined;
}
