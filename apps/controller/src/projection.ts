import { annotationPrefix } from "@countersign/bundle";
import type { RunRef } from "@countersign/core";
import { ourFinalizers } from "@countersign/kube";

/** All that the watch keeps of a run, under 1 kB; the object itself is thrown away. */
export interface Projection {
  readonly key: string;
  readonly ref: RunRef;
  readonly resourceVersion: string;
  readonly done: boolean;
  readonly deletedAt: number | undefined;
  /** Our finalizers that stand on it. */
  readonly finalizers: readonly string[];
  /** Raw value of the mark; undefined when there is none. */
  readonly signed: string | undefined;
  readonly retries: string | undefined;
  readonly uploadRequest: string | undefined;
  readonly managedBy: string | undefined;
  /** Key of the PipelineRun that started it. */
  readonly owner: string | undefined;
  readonly children: readonly ChildReference[];
  readonly completed: boolean;
  /** Epoch milliseconds; 0 when it says nothing. */
  readonly finishedAt: number;
}

export interface ChildReference {
  readonly kind: string;
  readonly name: string;
}

export const finalizerOf = { TaskRun: "chains.tekton.dev/taskrun", PipelineRun: "chains.tekton.dev/pipelinerun" } as const;

export const keyOf = ({ kind, namespace, name }: Omit<RunRef, "uid">): string => `${kind}/${namespace}/${name}`;

/** Reads loosely: whatever is missing or of the wrong type counts as absent. Judging the run is the visit's work. */
export function projectionOf(kind: RunRef["kind"], object: unknown): Projection {
  const { metadata, spec, status } = fields(object);
  const { name, namespace, uid, resourceVersion, deletionTimestamp, finalizers, annotations, labels, ownerReferences } = fields(metadata);
  const { conditions, completionTime, childReferences } = fields(status);
  const ref: RunRef = { kind, namespace: text(namespace), name: text(name), uid: text(uid) };
  const marks = fields(annotations);
  const owner = list(ownerReferences)
    .map(fields)
    .find(
      ({ controller, kind: of, apiVersion }) => controller === true && of === "PipelineRun" && text(apiVersion).startsWith("tekton.dev/"),
    );
  // Tekton writes both; a restored backup may have lost the first.
  const pipelineRun = text(owner?.["name"] ?? fields(labels)["tekton.dev/pipelineRun"]);
  return {
    key: keyOf(ref),
    ref,
    resourceVersion: text(resourceVersion),
    done: isDone(conditions),
    deletedAt: deletionTimestamp === undefined ? undefined : time(deletionTimestamp),
    finalizers: list(finalizers).filter((one): one is string => typeof one === "string" && ourFinalizers.includes(one)),
    signed: word(marks[`${annotationPrefix}signed`]),
    retries: word(marks[`${annotationPrefix}retries`]),
    uploadRequest: word(marks[`${annotationPrefix}transparency-upload`]),
    managedBy: word(fields(spec)["managedBy"]),
    owner: pipelineRun ? keyOf({ kind: "PipelineRun", namespace: ref.namespace, name: pipelineRun }) : undefined,
    children: list(childReferences)
      .map(fields)
      .map(({ kind: of, name: called }) => ({ kind: text(of), name: text(called) })),
    completed: completionTime !== undefined && completionTime !== null,
    finishedAt: time(completionTime),
  };
}

/** A mark that ends the work on a run. */
export const isSettled = ({ signed }: Pick<Projection, "signed">): boolean => signed === "true" || signed === "failed";

/** What people or the cluster can change so that a visit is due; our own writes change none of it unexpectedly. */
export function sameState(a: Projection, b: Projection): boolean {
  const { resourceVersion: _a, ...left } = a;
  const { resourceVersion: _b, ...right } = b;
  return JSON.stringify(left) === JSON.stringify(right);
}

/** All that an own write never changes is as it was. */
export const sameBesidesMarks = (a: Projection, b: Projection): boolean =>
  sameState({ ...a, ...b, done: a.done, deletedAt: a.deletedAt, children: a.children, completed: a.completed, ref: a.ref }, b);

/** Done: the first Succeeded condition is not Unknown; one without a status counts as done (Tekton Chains reads it so). */
function isDone(conditions: unknown): boolean {
  const succeeded = list(conditions)
    .map(fields)
    .find(({ type }) => type === "Succeeded");
  return succeeded !== undefined && succeeded["status"] !== "Unknown";
}

type Fields = Readonly<Record<string, unknown>>;
const fields = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const word = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
const text = (value: unknown): string => word(value) ?? "";
const time = (value: unknown): number => Date.parse(text(value)) || 0;
