import type { Annotations, RunRef } from "@countersign/core";
import { dateFromTime } from "./go/time.ts";
import type { ObjectMeta, Param, ParamSpec, PipelineRunObject, Result, RunStatus, StringMap, TaskRunObject } from "./objects.ts";
import type { PipelineRun, Run, TaskRun } from "./run.ts";

export function taskRunFrom(object: TaskRunObject): TaskRun {
  const { spec, status } = object;
  const serviceAccount = spec?.serviceAccountName ?? "";
  const parts = { params: spec?.params, specs: status?.taskSpec?.params, results: status?.results, resolver: spec?.taskRef?.resolver };
  return { kind: "TaskRun", object, ...facts("TaskRun", object.metadata, status, parts, serviceAccount, spec?.managedBy) };
}

export function pipelineRunFrom(object: PipelineRunObject, children: readonly TaskRun[]): PipelineRun {
  const { spec, status } = object;
  const serviceAccount = spec?.taskRunTemplate?.serviceAccountName ?? "";
  const parts = {
    params: spec?.params,
    specs: status?.pipelineSpec?.params,
    results: status?.results,
    resolver: spec?.pipelineRef?.resolver,
  };
  const childReferences = status?.childReferences ?? [];
  const own = facts("PipelineRun", object.metadata, status, parts, serviceAccount, spec?.managedBy);
  return { kind: "PipelineRun", object, children, childReferences, ...own };
}

interface Parts {
  readonly params: readonly Param[] | undefined;
  readonly specs: readonly ParamSpec[] | undefined;
  readonly results: readonly Result[] | undefined;
  readonly resolver: string | undefined;
}

function facts(
  kind: RunRef["kind"],
  meta: ObjectMeta | undefined,
  status: RunStatus | undefined,
  { params, specs, results, resolver }: Parts,
  serviceAccount: string,
  managedBy = "",
): Omit<Run, "kind" | "object" | "children" | "childReferences"> {
  const ref: RunRef = { kind, namespace: meta?.namespace ?? "", name: meta?.name ?? "", uid: meta?.uid ?? "" };
  const lower = kind === "TaskRun" ? "taskrun" : "pipelinerun";
  const completionTime = status?.completionTime;
  const deleted = meta?.deletionTimestamp;
  return {
    ref,
    artifact: { kind: lower, run: ref, serviceAccount, shortKey: `${lower}-${ref.uid}`, fullKey: `tekton.dev-v1-${kind}-${ref.uid}` },
    annotations: recordOf(meta?.annotations),
    labels: recordOf(meta?.labels),
    annotationMap: meta?.annotations,
    labelMap: meta?.labels,
    finalizers: meta?.finalizers ?? [],
    deletionTimestamp: deleted && dateFromTime(deleted),
    resourceVersion: meta?.resourceVersion ?? "",
    serviceAccount,
    managedBy,
    done: isDone(status),
    startTime: status?.startTime,
    completionTime,
    finishedAt: completionTime && dateFromTime(completionTime),
    params: params ?? [],
    defaults: (specs ?? []).filter((spec) => spec.default !== undefined),
    results: results ?? [],
    provenance: status?.provenance,
    refSource: status?.provenance?.refSource,
    isRemote: resolver !== undefined && resolver !== "" && resolver !== "Cluster",
  };
}

/** The first condition Succeeded decides; one without a status counts as done. */
function isDone(status: RunStatus | undefined): boolean {
  const succeeded = status?.conditions?.find((condition) => condition.type === "Succeeded");
  return succeeded !== undefined && succeeded.status !== "Unknown";
}

/** Without a prototype: an annotation may be called __proto__, and none is called toString unless somebody wrote it. */
function recordOf(map: StringMap | undefined): Annotations {
  const record: Record<string, string> = Object.create(null);
  for (const [key, value] of map ?? []) record[key] = value;
  return record;
}
