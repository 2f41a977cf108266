import type { Annotations, AnyRun, Artifact } from "@countersign/core";
import type { GoTime } from "./go/time.ts";
import type {
  ChildReference,
  Param,
  ParamSpec,
  PipelineRunObject,
  Provenance,
  RefSource,
  Result,
  StringMap,
  TaskRunObject,
} from "./objects.ts";

/** A finished or unfinished run, read once. Formatters, plans and the controller read it; nobody changes it. */
export type Run = TaskRun | PipelineRun;

interface RunFacts extends AnyRun {
  readonly artifact: Artifact;
  readonly annotations: Annotations;
  readonly labels: Annotations;
  /** undefined where the object has no labels, which some payloads tell from having none left. */
  readonly labelMap: StringMap | undefined;
  readonly annotationMap: StringMap | undefined;
  readonly finalizers: readonly string[];
  readonly deletionTimestamp: Date | undefined;
  readonly resourceVersion: string;
  readonly serviceAccount: string;
  readonly managedBy: string;
  /** Its condition Succeeded is there and not Unknown: true for failed runs, too. */
  readonly done: boolean;
  readonly startTime: GoTime | undefined;
  readonly completionTime: GoTime | undefined;
  /** completionTime to the millisecond. */
  readonly finishedAt: Date | undefined;
  readonly params: readonly Param[];
  /** Of the resolved task or pipeline, where they have a default. */
  readonly defaults: readonly ParamSpec[];
  readonly results: readonly Result[];
  readonly provenance: Provenance | undefined;
  /** Where the task or pipeline came from, remote or not. */
  readonly refSource: RefSource | undefined;
  /** Was it fetched by a resolver? "Cluster" is no resolver, but "cluster" is. */
  readonly isRemote: boolean;
}

export interface TaskRun extends RunFacts {
  readonly kind: "TaskRun";
  readonly object: TaskRunObject;
}

export interface PipelineRun extends RunFacts {
  readonly kind: "PipelineRun";
  readonly object: PipelineRunObject;
  readonly childReferences: readonly ChildReference[];
  /** The TaskRuns attached to it, in the order of its childReferences. */
  readonly children: readonly TaskRun[];
}
