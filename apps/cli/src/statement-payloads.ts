import type { ChainsConfig, RunFormat } from "@countersign/config";
import type { Artifact, Formatter, Payload } from "@countersign/core";
import { simplesigning } from "@countersign/formatters-cosign";
import { slsaV02 } from "@countersign/formatters-slsa-v0.2";
import { slsaV1 } from "@countersign/formatters-slsa-v1";
import { imagesOf, type Run } from "@countersign/tekton";

export interface ArtifactPayload {
  readonly artifact: Artifact;
  readonly payload: Payload;
}

/** Everything that the controller would sign for a run, before signing: the run itself, then the images of a TaskRun. */
export function payloadsOf(run: Run, config: ChainsConfig): readonly ArtifactPayload[] {
  const { taskRun, pipelineRun, image } = config.artifacts;
  const own = run.kind === "TaskRun" ? taskRun : pipelineRun;
  const images = image.enabled ? imagesOf(run) : [];
  return [
    ...(own.enabled ? [{ artifact: run.artifact, payload: runFormatter(own.format, config).format(run) }] : []),
    ...images.map((found) => ({ artifact: found.artifact, payload: simplesigning().format(found) })),
  ];
}

export function runFormatter(format: RunFormat, { builder, buildType, artifacts }: ChainsConfig): Formatter<Run> {
  const options = { builderId: builder.id, deepInspection: artifacts.pipelineRun.deepInspection };
  return format === "in-toto" || format === "slsa/v1" ? slsaV02({ ...options, format }) : slsaV1({ ...options, buildType, format });
}
