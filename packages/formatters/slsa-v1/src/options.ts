/** slsa: the plain one. slsa-tekton: adds labels, annotations and whole child TaskRuns. "" is read as slsa. */
export const buildTypes = ["https://tekton.dev/chains/v2/slsa", "https://tekton.dev/chains/v2/slsa-tekton"] as const;

export interface SlsaV1Options {
  readonly builderId: string;
  readonly buildType: string;
  /** Does a PipelineRun's statement also cover what its children say of themselves? */
  readonly deepInspection: boolean;
  readonly format: "slsa/v2alpha3" | "slsa/v2alpha4";
}

export const isTektonBuildType = (buildType: string): boolean => buildType.endsWith("/slsa-tekton");
