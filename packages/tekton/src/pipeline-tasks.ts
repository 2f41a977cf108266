import type { PipelineTask } from "./objects.ts";
import type { PipelineRun, TaskRun } from "./run.ts";

export interface TaskWithChildren {
  readonly task: PipelineTask;
  readonly isFinally: boolean;
  /** Every TaskRun attached for it; a matrix gives several. */
  readonly children: readonly TaskRun[];
  /** Those that have a completion time. */
  readonly completed: readonly TaskRun[];
}

const taskLabel = "tekton.dev/pipelineTask";

/** The tasks of the resolved pipeline, then its finally tasks, each with its children; none where the pipeline is not known. */
export function tasksOf(run: PipelineRun): readonly TaskWithChildren[] {
  const spec = run.object.status?.pipelineSpec;
  if (!spec) return [];
  // a child without the label belongs to no task, not even to one without a name
  const byTask = Map.groupBy(run.children, (child) => child.labels[taskLabel]);
  const withChildren = (task: PipelineTask, isFinally: boolean): TaskWithChildren => {
    const children = byTask.get(task.name ?? "") ?? [];
    return { task, isFinally, children, completed: children.filter((child) => child.completionTime !== undefined) };
  };
  return [...(spec.tasks ?? []).map((task) => withChildren(task, false)), ...(spec.finally ?? []).map((task) => withChildren(task, true))];
}

/** The completed children in the order of the pipeline's tasks. */
export const completedChildren = (run: PipelineRun): readonly TaskRun[] => tasksOf(run).flatMap(({ completed }) => completed);
