import type { RunFormat } from "@countersign/config";
import { completedChildren, imageIdFault, type PipelineRun, type Place, type Result, type Run, type TaskRun } from "@countersign/tekton";
import { gitFaults, isHintName, misspelt, outputParams, unwritten } from "./explain-statement-hints.ts";
import type { NearMiss } from "./explain-statement-near-miss.ts";
import { resultFaults } from "./explain-statement-results.ts";

/** Everything in a run that somebody probably meant for its statement and that is not in it. */
export function nearMisses(run: Run, format: RunFormat, deepInspection: boolean): readonly NearMiss[] {
  const marked = format === "slsa/v2alpha4";
  const own = [...ofResults(run.results, { run: run.ref }, marked), ...gitFaults(run), ...outputParams(run), ...unwritten(run)];
  if (run.kind === "TaskRun") return [...own, ...ofSteps(run, marked), ...ofImageIds(run)];
  const children = completedChildren(run);
  const ofChildren = children.flatMap((child) => (deepInspection ? nearMisses(child, format, true) : ofImageIds(child)));
  return [...own, ...unusedChildren(run), ...(deepInspection ? [] : unreadChildren(run, children)), ...ofChildren];
}

const ofResults = (results: readonly Result[], place: Place, marked: boolean): readonly NearMiss[] => [
  ...resultFaults(results, place, marked),
  ...misspelt(results, place),
];

/** Only slsa/v2alpha4 reads what single steps say. */
function ofSteps(run: TaskRun, marked: boolean): readonly NearMiss[] {
  return (run.object.status?.steps ?? []).flatMap(({ name = "", results = [] }) => {
    const place: Place = { run: run.ref, step: name };
    if (marked) return ofResults(results, place, marked);
    const names = results.map((result) => result.name ?? "").filter(isHintName);
    const why = "this format does not read the results of single steps";
    return names.length === 0 ? [] : [{ place, names, why, fix: "use format slsa/v2alpha4, or hand the value on as a result of the Task" }];
  });
}

function ofImageIds(run: TaskRun): readonly NearMiss[] {
  const { steps = [], sidecars = [] } = run.object.status ?? {};
  return [...steps.map((step) => ["step", step] as const), ...sidecars.map((sidecar) => ["sidecar", sidecar] as const)].flatMap(
    ([word, { name = "", imageID }]) => {
      const fault = imageIdFault(imageID);
      if (fault === undefined) return [];
      const fix = "nothing to mend in the Task if the run was cut short; otherwise let the node pull the image from a registry";
      return [{ place: { run: run.ref }, names: [name], why: `${word} image is no dependency: ${fault}`, fix }];
    },
  );
}

/** Without deep inspection nobody asks the children what they made. */
function unreadChildren(run: PipelineRun, children: readonly TaskRun[]): readonly NearMiss[] {
  return children.flatMap((child) => {
    const names = child.results.map(({ name = "" }) => name).filter(isHintName);
    if (names.length === 0) return [];
    return [
      {
        place: { run: child.ref },
        names,
        why: `the statement of PipelineRun ${run.ref.name} does not read results of its TaskRuns`,
        fix: "set artifacts.pipelinerun.enable-deep-inspection to true, or hand the values on as results of the Pipeline",
      },
    ];
  });
}

/** Attached TaskRuns that the statement passes over. */
function unusedChildren(run: PipelineRun): readonly NearMiss[] {
  const used = new Set(completedChildren(run));
  return run.children
    .filter((child) => !used.has(child))
    .map((child) => ({
      place: { run: run.ref },
      names: [child.ref.name],
      why:
        child.completionTime === undefined
          ? "the TaskRun has no completionTime, so it counts for nothing"
          : "no task of the resolved pipeline has the name in the TaskRun's label tekton.dev/pipelineTask",
      fix: child.completionTime === undefined ? "wait until it has finished" : "keep the label as Tekton set it",
    }));
}
