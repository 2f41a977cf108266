import {
  completedChildren,
  goJson,
  isByproduct,
  type Json,
  paramValueJson,
  protoText,
  type Result,
  type Run,
  type TaskRun,
} from "@countersign/tekton";
import type { SlsaV1Options } from "./options.ts";
import { descriptorJson } from "./resource-descriptor.ts";

export function runDetails(run: Run, options: SlsaV1Options): Json {
  const results = options.format === "slsa/v2alpha3" ? allResults(run) : otherResults(run, options.deepInspection);
  return {
    builder: { id: options.builderId || undefined },
    byproducts: results.length === 0 ? undefined : results,
    metadata: {
      finishedOn: run.completionTime && protoText(run.completionTime),
      invocationId: run.ref.uid || undefined,
      startedOn: run.startTime && protoText(run.startTime),
    },
  };
}

/** slsa/v2alpha3: every result, those that are hints included. */
const allResults = (run: Run): readonly Json[] => run.results.map((result) => byproduct(`${runWord(run)}Results`, result));

/** slsa/v2alpha4: results that are no outputs, named with their run; of steps, too. */
function otherResults(run: Run, deepInspection: boolean): readonly Json[] {
  const own = run.results.filter(isByproduct).map((result) => byproduct(`${runWord(run)}Results/${run.ref.name}`, result));
  if (run.kind === "TaskRun") return [...own, ...stepResults(run)];
  const children = deepInspection ? completedChildren(run) : [];
  return [...own, ...children.flatMap((child) => otherResults(child, deepInspection))];
}

/** The step's name is no part of theirs, so two steps may give two by-products of one name. */
const stepResults = (run: TaskRun): readonly Json[] =>
  (run.object.status?.steps ?? []).flatMap(({ results = [] }) =>
    results.filter(isByproduct).map((result) => byproduct(`stepResults/${run.ref.name}`, result)),
  );

const runWord = (run: Run): string => (run.kind === "TaskRun" ? "taskRun" : "pipelineRun");

const byproduct = (prefix: string, { name = "", value }: Result): Json =>
  descriptorJson({
    content: Buffer.from(goJson(paramValueJson(value))).toString("base64"),
    mediaType: "application/json",
    name: `${prefix}/${name}`,
  });
