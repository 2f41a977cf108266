import { CountersignError, type Formatter, type Payload } from "@countersign/core";
import { inTotoPayloadType, slsaV1PredicateType, statementTypeV1 } from "@countersign/in-toto-attestation";
import { type Entry, plainSubjects, type Run, statementBody, subjectsOf } from "@countersign/tekton";
import { buildDefinition } from "./build-definition.ts";
import { buildTypes, type SlsaV1Options } from "./options.ts";
import { type Dependency, resolvedDependencies } from "./resolved-dependencies.ts";
import { runDetails } from "./run-details.ts";

/**
 * SLSA provenance v1 in an in-toto statement v1: what Tekton Chains calls "slsa/v2alpha3" and "slsa/v2alpha4".
 * @throws CountersignError config.build-type when asked for a build type that Chains does not know
 */
export function slsaV1(options: SlsaV1Options): Formatter<Run> {
  const known = options.buildType === "" || (buildTypes as readonly string[]).includes(options.buildType);
  if (!known)
    throw new CountersignError("config.build-type", `builddefinition.buildtype must be one of ${buildTypes.join(" and ")}`, {
      retry: "hold",
    });
  const resolved = { ...options, buildType: options.buildType || buildTypes[0] };
  return { name: options.format, format: (run) => payload(run, resolved) };
}

/** The entries of a statement with the results and parameters they came from. */
export function slsaV1Entries(run: Run, options: SlsaV1Options): { subjects: readonly Entry[]; dependencies: readonly Dependency[] } {
  const rule = options.format === "slsa/v2alpha3" ? "all" : "marked";
  return { subjects: subjectsOf(run, rule, options.deepInspection), dependencies: resolvedDependencies(run, options) };
}

function payload(run: Run, options: SlsaV1Options): Payload {
  const { subjects, dependencies } = slsaV1Entries(run, options);
  const predicate = {
    buildDefinition: buildDefinition(run, options.buildType, dependencies),
    runDetails: runDetails(run, options),
  };
  return {
    format: options.format,
    envelope: "dsse",
    mediaType: inTotoPayloadType,
    predicateType: slsaV1PredicateType,
    body: statementBody({ type: statementTypeV1, predicateType: slsaV1PredicateType, subjects, predicate }),
    subjects: plainSubjects(subjects),
  };
}
