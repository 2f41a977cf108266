import { catalog } from "@countersign/catalog";
import type { ChainsConfig } from "@countersign/config";
import type { Artifact, Payload } from "@countersign/core";
import { imagesOf, type Run } from "@countersign/tekton";

export interface ArtifactPayload {
  readonly artifact: Artifact;
  readonly payload: Payload;
}

/** Everything that the controller would sign for a run, before signing: the run itself, then the images of a TaskRun. */
export function payloadsOf(run: Run, { artifacts, builder, buildType }: ChainsConfig): readonly ArtifactPayload[] {
  const { taskRun, pipelineRun, image } = artifacts;
  const own = run.kind === "TaskRun" ? taskRun : pipelineRun;
  const choice = { format: own.format, builderId: builder.id, buildType, deepInspection: pipelineRun.deepInspection };
  const runFormatter = own.enabled ? catalog.runFormatters[own.format]?.(choice) : undefined;
  const imageFormatter = image.enabled ? catalog.imageFormatters[image.format]?.() : undefined;
  return [
    ...(runFormatter ? [{ artifact: run.artifact, payload: runFormatter.format(run) }] : []),
    ...(imageFormatter ? imagesOf(run).map((found) => ({ artifact: found.artifact, payload: imageFormatter.format(found) })) : []),
  ];
}
