import { byBytes, type Json, normalise, type RefSource, type Run, type StringMap } from "@countersign/tekton";
import { isTektonBuildType } from "./options.ts";
import type { Dependency } from "./resolved-dependencies.ts";
import { descriptorJson } from "./resource-descriptor.ts";

export const buildDefinition = (run: Run, buildType: string, dependencies: readonly Dependency[]): Json => ({
  buildType,
  externalParameters: externalParameters(run),
  internalParameters: internalParameters(run, isTektonBuildType(buildType)),
  resolvedDependencies:
    dependencies.length === 0 ? undefined : dependencies.map((entry) => descriptorJson({ ...entry, name: entry.label, uri: entry.name })),
});

/** The spec as it was submitted, and where its task or pipeline came from when a resolver fetched it. */
function externalParameters(run: Run): Json {
  return {
    buildConfigSource: run.isRemote && run.refSource ? buildConfigSource(run.refSource) : undefined,
    runSpec: normalise(`${run.kind}Spec`, run.object.spec),
  };
}

const buildConfigSource = ({ digest, entryPoint = "", uri = "" }: RefSource): Json => ({
  path: entryPoint,
  ref: oneOf(digest),
  repository: uri,
});

/** Where there are several digests the reference takes any; we take the best known one. */
function oneOf(digest: StringMap | undefined): string {
  if (!digest?.size) return "";
  const algorithms = [...digest.keys()];
  const algorithm = ["sha256", "sha512", "sha384", "sha1"].find((known) => digest.has(known)) ?? algorithms.sort(byBytes)[0] ?? "";
  return `${algorithm}:${digest.get(algorithm)}`;
}

function internalParameters(run: Run, tekton: boolean): Json {
  const flags = run.provenance?.featureFlags;
  return {
    // null where the run has none, {} where it has none left
    ...(tekton && { annotations: run.annotationMap ?? null, labels: run.labelMap ?? null }),
    "tekton-pipelines-feature-flags": flags && normalise("config.FeatureFlags", flags),
  };
}
