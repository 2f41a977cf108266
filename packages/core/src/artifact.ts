import type { RunRef } from "./run.ts";

/** What an attestation is about, small enough to keep: there is no run inside. */
export interface Artifact {
  readonly kind: "taskrun" | "pipelinerun" | "image";
  readonly run: RunRef;
  /** Whose registry credentials count: a ServiceAccount of the run's namespace. */
  readonly serviceAccount: string;
  /** "taskrun-<uid>", "pipelinerun-<uid>", or the first 12 hex digits of the image digest. */
  readonly shortKey: string;
  /** "tekton.dev-v1-TaskRun-<uid>", or "<registry>/<repository>@sha256:<hex>". */
  readonly fullKey: string;
}
