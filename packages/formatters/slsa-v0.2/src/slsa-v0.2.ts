import type { Formatter, Payload } from "@countersign/core";
import { inTotoPayloadType, slsaV02PredicateType, statementTypeV01 } from "@countersign/in-toto-attestation";
import { type Entry, type Json, materialsOf, plainSubjects, type Run, statementBody, subjectsOf } from "@countersign/tekton";
import { buildConfig } from "./build-config.ts";
import { invocation } from "./invocation.ts";
import { materialsJson, sourceDigests } from "./materials.ts";
import { metadata } from "./metadata.ts";

export interface SlsaV02Options {
  readonly builderId: string;
  /** Does a PipelineRun's statement also cover what its children say of themselves? */
  readonly deepInspection: boolean;
  /** Two config words for one format; they differ in the label handed to storage only. */
  readonly format: "in-toto" | "slsa/v1";
}

/** SLSA provenance v0.2 in an in-toto statement v0.1: what Tekton Chains calls "in-toto" and "slsa/v1". */
export function slsaV02({ builderId, deepInspection, format }: SlsaV02Options): Formatter<Run> {
  return { name: format, format: (run) => payload(run, builderId, deepInspection, format) };
}

/** The entries of a statement with the results and parameters they came from. */
export function slsaV02Entries(
  run: Run,
  options: Pick<SlsaV02Options, "deepInspection">,
): { subjects: readonly Entry[]; dependencies: readonly Entry[] } {
  return { subjects: subjectsOf(run, "all", options.deepInspection), dependencies: materialsOf(run, options.deepInspection) };
}

function payload(run: Run, builderId: string, deepInspection: boolean, format: string): Payload {
  const { subjects, dependencies: materials } = slsaV02Entries(run, { deepInspection });
  const digestOf = sourceDigests(materials);
  const predicate: Json = {
    buildConfig: buildConfig(run, digestOf),
    buildType: `tekton.dev/v1/${run.kind}`,
    builder: { id: builderId },
    invocation: invocation(run, digestOf),
    materials: materials.length === 0 ? undefined : materialsJson(materials),
    metadata: metadata(run),
  };
  return {
    format,
    envelope: "dsse",
    mediaType: inTotoPayloadType,
    predicateType: slsaV02PredicateType,
    body: statementBody({ type: statementTypeV01, predicateType: slsaV02PredicateType, subjects, predicate }),
    subjects: plainSubjects(subjects),
  };
}
