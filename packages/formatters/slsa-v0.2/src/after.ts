import { byBytes, type ContainerLike, type Param, type PipelineTask, type TaskWithChildren } from "@countersign/tekton";

/** For each task: the tasks it had to wait for. Without any, a finally task names the last ordinary task that had a child. */
export function afterEach(tasks: readonly TaskWithChildren[]): readonly (readonly string[])[] {
  const last = tasks.findLast(({ isFinally }) => !isFinally)?.task.name;
  return tasks.map(({ task, isFinally }) => {
    const after = waitsFor(task);
    return after.length === 0 && isFinally && last !== undefined ? [last] : after;
  });
}

/** runAfter as it stands, then every task whose results are used, once each. */
function waitsFor(task: PipelineTask): readonly string[] {
  const runAfter = task.runAfter ?? [];
  const referenced = new Set<string>();
  for (const text of textsOf(task)) for (const name of referencedTasks(text)) referenced.add(name);
  for (const name of runAfter) referenced.delete(name);
  return [...runAfter, ...referenced];
}

const reference = /\$\([_a-zA-Z0-9.-]+(?:\[(?:[0-9]+|\*)\])?\)/g;

/** "$(tasks.build.results.digest)" → "build". Four parts, or five for a member of an object result. */
function referencedTasks(text: string): readonly string[] {
  if (!text.includes("$(")) return [];
  return [...text.matchAll(reference)].flatMap(([match]) => {
    const parts = match.slice(2, -1).split(".");
    const isResult =
      (parts.length === 4 || parts.length === 5) && (parts[0] === "tasks" || parts[0] === "finally") && parts[2] === "results";
    return isResult ? [parts[1] ?? ""] : [];
  });
}

/** Everywhere a task can use a result, in the order in which the reference looks. */
function* textsOf(task: PipelineTask): Generator<string> {
  yield* paramTexts(task.params);
  yield* paramTexts(task.matrix?.params);
  for (const { params } of task.matrix?.include ?? []) yield* paramTexts(params);
  for (const { input = "", cel = "", values = [] } of task.when ?? []) yield* [input, cel, ...values];
  for (const step of task.taskSpec?.steps ?? []) yield* containerTexts(step);
  for (const sidecar of task.taskSpec?.sidecars ?? []) yield* containerTexts(sidecar);
}

function* paramTexts(params: readonly Param[] = []): Generator<string> {
  for (const { value } of params) {
    if (value?.kind === "string") yield value.text;
    if (value?.kind === "list") yield* value.items;
    // the reference walks a Go map here and so changes its mind from run to run
    if (value?.kind === "object") for (const [, text] of [...value.entries].sort(([a], [b]) => byBytes(a, b))) yield text;
  }
}

function* containerTexts(container: ContainerLike): Generator<string> {
  const { name = "", image = "", imagePullPolicy = "", script = "", workingDir = "", command = [], args = [], env = [] } = container;
  yield* [name, image, imagePullPolicy, script, workingDir, ...command, ...args];
  for (const { value = "", valueFrom } of env) {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {};
    yield value;
    if (secretKeyRef) yield* [secretKeyRef.key ?? "", secretKeyRef.name ?? ""];
    if (configMapKeyRef) yield* [configMapKeyRef.key ?? "", configMapKeyRef.name ?? ""];
  }
}
