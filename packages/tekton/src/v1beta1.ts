import { type SourceNode, SourceText, sourceNodeText } from "./source-text.ts";

// An API server that is asked for tekton.dev/v1 converts by itself; this is for files that were saved as v1beta1. PipelineResources and the
// old in-line status of children have no place in v1 and are dropped.

type Members = Map<string, SourceNode>;

/** The text of a v1beta1 TaskRun or PipelineRun as v1, every number and string spelled as before. */
export function v1TextFromV1beta1(text: string): string {
  const run = new SourceText(text).tree();
  if (!(run instanceof Map)) return text;
  const [spec, status] = [membersOf(run.get("spec")), membersOf(run.get("status"))];
  if (run.get("kind") === '"PipelineRun"') convertPipelineRun(spec, status);
  else convertTaskRun(spec, status);
  run.set("apiVersion", '"tekton.dev/v1"');
  return sourceNodeText(run);
}

function convertTaskRun(spec: Members, status: Members): void {
  renamed(status, "taskResults", "results");
  for (const [from, to] of [
    ["stepOverrides", "stepSpecs"],
    ["sidecarOverrides", "sidecarSpecs"],
  ] as const) {
    for (const override of listOf(spec.get(from))) renamed(override, "resources", "computeResources");
    renamed(spec, from, to);
  }
  convertTaskSpec(membersOf(spec.get("taskSpec")));
  convertTaskSpec(membersOf(status.get("taskSpec")));
  for (const step of listOf(status.get("steps"))) {
    const reason = membersOf(step.get("terminated")).get("reason");
    if (reason !== undefined && !step.has("terminationReason")) step.set("terminationReason", reason);
  }
}

function convertPipelineRun(spec: Members, status: Members): void {
  renamed(status, "pipelineResults", "results");
  if (spec.has("timeout")) spec.set("timeouts", new Map([["pipeline", taken(spec, "timeout")]]));
  const template = [
    ["serviceAccountName", spec.get("serviceAccountName")],
    ["podTemplate", spec.get("podTemplate")],
  ].filter((member): member is [string, SourceNode] => member[1] !== undefined);
  if (template.length > 0) spec.set("taskRunTemplate", new Map(template));
  for (const taskRun of listOf(spec.get("taskRunSpecs"))) {
    renamed(taskRun, "taskServiceAccountName", "serviceAccountName");
    renamed(taskRun, "taskPodTemplate", "podTemplate");
    for (const [from, to] of [
      ["stepOverrides", "stepSpecs"],
      ["sidecarOverrides", "sidecarSpecs"],
    ] as const) {
      for (const override of listOf(taskRun.get(from))) renamed(override, "resources", "computeResources");
      renamed(taskRun, from, to);
    }
  }
  for (const pipeline of [membersOf(spec.get("pipelineSpec")), membersOf(status.get("pipelineSpec"))]) {
    convertParamSpecs(pipeline);
    for (const task of [...listOf(pipeline.get("tasks")), ...listOf(pipeline.get("finally"))])
      convertTaskSpec(membersOf(task.get("taskSpec")));
  }
}

function convertTaskSpec(spec: Members): void {
  convertParamSpecs(spec);
  const containers = [...listOf(spec.get("steps")), ...listOf(spec.get("sidecars")), membersOf(spec.get("stepTemplate"))];
  for (const container of containers) renamed(container, "resources", "computeResources");
}

function convertParamSpecs(spec: Members): void {
  for (const param of listOf(spec.get("params"))) if (!param.has("type")) param.set("type", '"string"');
}

function renamed(members: Members, from: string, to: string): void {
  if (members.has(from)) members.set(to, taken(members, from));
}

function taken(members: Members, key: string): SourceNode {
  const node = members.get(key) ?? "null";
  members.delete(key);
  return node;
}

const membersOf = (node: SourceNode | undefined): Members => (node instanceof Map ? node : new Map());
const listOf = (node: SourceNode | undefined): readonly Members[] =>
  Array.isArray(node) ? node.filter((item) => item instanceof Map) : [];
