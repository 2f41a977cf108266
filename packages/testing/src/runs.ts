import { createHash } from "node:crypto";

type ResultValue = string | readonly string[] | Readonly<Record<string, string>>;
type Fields = Readonly<Record<string, unknown>>;

export interface RunObject {
  readonly apiVersion: "tekton.dev/v1";
  readonly kind: "TaskRun" | "PipelineRun";
  readonly metadata: Fields & { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly spec: Fields;
  readonly status: Fields;
}

/** A run in the making. Every step gives a new builder; the old one stays what it was. */
export interface RunBuilder<Self> {
  readonly object: RunObject;
  /** The text an API server would send. */
  text(): string;
  /** The uid follows from kind, namespace and name unless it is given. */
  named(name: string, uid?: string): Self;
  inNamespace(namespace: string): Self;
  withAnnotation(key: string, value: string): Self;
  withLabel(key: string, value: string): Self;
  withFinalizer(finalizer: string): Self;
  withParam(name: string, value: ResultValue): Self;
  withResult(name: string, value: ResultValue): Self;
  withServiceAccount(name: string): Self;
  /** Everything that a builder has no word for: top-level fields of status or spec, replaced. */
  withStatus(fields: Fields): Self;
  withSpec(fields: Fields): Self;
  /** Not done: the condition Succeeded is Unknown, and nothing has a completion time. */
  running(): Self;
  failed(reason?: string): Self;
}

export interface TaskRunBuilder extends RunBuilder<TaskRunBuilder> {
  /** A further step, finished, with the image it ran: "registry.example/tools/go@sha256:…". */
  withStep(name: string, imageID: string): TaskRunBuilder;
  /** What a PipelineRun's controller writes on its children. */
  childOf(pipelineRun: RunObject, pipelineTask: string): TaskRunBuilder;
}

export interface PipelineRunBuilder extends RunBuilder<PipelineRunBuilder> {
  /** A child reference; build the child with childOf. */
  withChild(taskRun: RunObject, pipelineTask: string): PipelineRunBuilder;
}

const started = "2026-01-01T00:00:00Z";
const finished = "2026-01-01T00:01:00Z";
const hexOf = (text: string): string => createHash("sha256").update(text).digest("hex");
const uidOf = (text: string): string => hexOf(text).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, "$1-$2-4$3-8$4-$5");
export const aDigest = (of: string): string => `sha256:${hexOf(of)}`;

/** A TaskRun "build" that succeeded in one step. */
export function aTaskRun(): TaskRunBuilder {
  const image = `registry.example/tools/builder@${aDigest("registry.example/tools/builder")}`;
  const steps = [{ name: "build", image: "registry.example/tools/builder:1.4", script: "build --push" }];
  const status = {
    conditions: condition("True", "Succeeded"),
    startTime: started,
    completionTime: finished,
    podName: "build-pod",
    taskSpec: { steps },
    steps: [finishedStep("build", image)],
    provenance: { featureFlags: { enableAPIFields: "beta", resultExtractionMethod: "termination-message" } },
  };
  return taskRun(fresh("TaskRun", "build", { taskRef: { kind: "Task", name: "build" }, serviceAccountName: "builder" }, status));
}

/** A PipelineRun "release" that succeeded, without children yet. */
export function aPipelineRun(): PipelineRunBuilder {
  const spec = { pipelineRef: { name: "release" }, taskRunTemplate: { serviceAccountName: "builder" } };
  const status = {
    conditions: condition("True", "Completed"),
    startTime: started,
    completionTime: finished,
    childReferences: [],
    pipelineSpec: { tasks: [] },
  };
  return pipelineRun(fresh("PipelineRun", "release", spec, status));
}

function fresh(kind: RunObject["kind"], name: string, spec: Fields, status: Fields): RunObject {
  const metadata = { name, namespace: "default", uid: uidOf(`${kind}/default/${name}`), creationTimestamp: started, generation: 1 };
  return { apiVersion: "tekton.dev/v1", kind, metadata, spec, status };
}

function taskRun(object: RunObject): TaskRunBuilder {
  const account = (name: string): Fields => ({ serviceAccountName: name });
  return {
    ...common(object, taskRun, { account, results: "results" }),
    withStep: (name, imageID) => {
      const steps = [...listOf(object.status["steps"]), finishedStep(name, imageID)];
      const spec = { steps: [...listOf((object.status["taskSpec"] as Fields)["steps"]), { name, image: imageID.replace(/@.*/, "") }] };
      return taskRun(within(object, "status", { steps, taskSpec: spec }));
    },
    childOf: (parent, pipelineTask) => {
      const { name, uid } = parent.metadata;
      const labels = { "tekton.dev/pipelineRun": name, "tekton.dev/pipelineRunUID": uid, "tekton.dev/pipelineTask": pipelineTask };
      const owner = { apiVersion: "tekton.dev/v1", kind: "PipelineRun", name, uid, controller: true, blockOwnerDeletion: true };
      const all = { ...(object.metadata["labels"] as Fields | undefined), ...labels };
      return taskRun(within(object, "metadata", { labels: all, ownerReferences: [owner], namespace: parent.metadata.namespace }));
    },
  };
}

function pipelineRun(object: RunObject): PipelineRunBuilder {
  const account = (name: string): Fields => ({ taskRunTemplate: { serviceAccountName: name } });
  return {
    ...common(object, pipelineRun, { account, results: "results" }),
    withChild: (child, pipelineTaskName) => {
      const reference = { apiVersion: "tekton.dev/v1", kind: child.kind, name: child.metadata.name, pipelineTaskName };
      const tasks = [
        ...listOf((object.status["pipelineSpec"] as Fields)["tasks"]),
        { name: pipelineTaskName, taskRef: child.spec["taskRef"] },
      ];
      const childReferences = [...listOf(object.status["childReferences"]), reference];
      return pipelineRun(within(object, "status", { childReferences, pipelineSpec: { tasks } }));
    },
  };
}

function common<Self>(
  object: RunObject,
  next: (object: RunObject) => Self,
  how: { account(name: string): Fields; results: string },
): RunBuilder<Self> {
  const { metadata, spec, status, kind } = object;
  const set = (part: "metadata" | "spec" | "status", fields: Fields): Self => next(within(object, part, fields));
  const typed = (name: string, value: ResultValue): Fields => {
    const type = typeof value === "string" ? "string" : Array.isArray(value) ? "array" : "object";
    return { name, type, value };
  };
  return {
    object,
    text: () => JSON.stringify(object),
    named: (name, uid = uidOf(`${kind}/${metadata.namespace}/${name}`)) => set("metadata", { name, uid }),
    inNamespace: (namespace) => set("metadata", { namespace, uid: uidOf(`${kind}/${namespace}/${metadata.name}`) }),
    withAnnotation: (key, value) => set("metadata", { annotations: { ...(metadata["annotations"] as Fields | undefined), [key]: value } }),
    withLabel: (key, value) => set("metadata", { labels: { ...(metadata["labels"] as Fields | undefined), [key]: value } }),
    withFinalizer: (finalizer) => set("metadata", { finalizers: [...listOf(metadata["finalizers"]), finalizer] }),
    withParam: (name, value) => set("spec", { params: [...listOf(spec["params"]), { name, value }] }),
    withResult: (name, value) => set("status", { [how.results]: [...listOf(status[how.results]), typed(name, value)] }),
    withServiceAccount: (name) => set("spec", how.account(name)),
    withStatus: (fields) => set("status", fields),
    withSpec: (fields) => set("spec", fields),
    running: () => {
      const { completionTime: _, ...rest } = { ...status, conditions: condition("Unknown", "Running") } as Fields;
      return next({ ...object, status: rest });
    },
    failed: (reason = "Failed") => set("status", { conditions: condition("False", reason) }),
  };
}

const within = (object: RunObject, part: "metadata" | "spec" | "status", fields: Fields): RunObject => ({
  ...object,
  [part]: { ...object[part], ...fields },
});

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const condition = (status: string, reason: string): readonly Fields[] => [
  { type: "Succeeded", status, reason, lastTransitionTime: finished, message: "All Steps have completed executing" },
];

function finishedStep(name: string, imageID: string): Fields {
  const terminated = {
    exitCode: 0,
    reason: "Completed",
    startedAt: started,
    finishedAt: finished,
    containerID: `containerd://${hexOf(name)}`,
  };
  return { name, container: `step-${name}`, imageID, terminated, terminationReason: "Completed" };
}
