import { type Json, type Run, shortestText } from "@countersign/tekton";

/** Completeness is never claimed. Reproducible counts as a label; an annotation of that name has no effect. */
export const metadata = (run: Run): Json => ({
  buildFinishedOn: run.completionTime && shortestText(run.completionTime),
  buildStartedOn: run.startTime && shortestText(run.startTime),
  completeness: { environment: false, materials: false, parameters: false },
  reproducible: run.labels["chains.tekton.dev/reproducible"] === "true",
});
