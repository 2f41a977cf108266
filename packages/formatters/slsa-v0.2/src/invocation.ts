import { type Json, paramValueJson, type Run, type StringMap } from "@countersign/tekton";
import type { DigestOf } from "./materials.ts";

/** What was asked for: the source of the task or pipeline, all parameters, and the run's labels and annotations. */
export function invocation(run: Run, digestOf: DigestOf): Json {
  return { configSource: configSource(run, digestOf), environment: environment(run), parameters: parameters(run) };
}

function configSource({ refSource }: Run, digestOf: DigestOf): Json {
  if (!refSource) return {};
  const digest = digestOf(refSource);
  return {
    digest: digest?.size ? digest : undefined,
    entryPoint: refSource.entryPoint || undefined,
    uri: refSource.uri || undefined,
  };
}

/** Defaults first, then what was given; of equal names the last counts. */
function parameters(run: Run): Json {
  const values = new Map<string, Json>();
  for (const { name = "", default: value } of run.defaults) values.set(name, paramValueJson(value));
  for (const { name = "", value } of run.params) values.set(name, paramValueJson(value));
  return values;
}

function environment({ annotationMap, labelMap }: Run): Json | undefined {
  const annotations = [...(annotationMap ?? [])].filter(([name]) => isForeign(name));
  if (annotations.length === 0 && !labelMap?.size) return undefined;
  return {
    annotations: annotations.length === 0 ? undefined : (new Map(annotations) satisfies StringMap),
    labels: labelMap?.size ? labelMap : undefined,
  };
}

/** Chains' own book-keeping and kubectl's copy of the manifest say nothing about the build. */
const isForeign = (name: string): boolean =>
  name !== "kubectl.kubernetes.io/last-applied-configuration" && !name.startsWith("chains.tekton.dev/");
