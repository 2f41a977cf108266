import { checkResourceDescriptor, type ResourceDescriptor } from "./resource-descriptor.ts";
import { digestSet, list, optional, record, string, text, timestamp } from "./shape.ts";

/** @see https://slsa.dev/provenance/v1 */
export const slsaV1PredicateType = "https://slsa.dev/provenance/v1";

/** How something was made, in the words of SLSA provenance v1 (schema: https://slsa.dev/spec/v1.0/provenance). */
export interface SlsaProvenanceV1 {
  readonly buildDefinition: {
    /** A URI; it says how to read the parameters. */
    readonly buildType: string;
    /** What whoever asked for the build decided; never trusted. */
    readonly externalParameters: Readonly<Record<string, unknown>>;
    /** What the platform decided. */
    readonly internalParameters?: Readonly<Record<string, unknown>>;
    readonly resolvedDependencies?: readonly ResourceDescriptor[];
  };
  readonly runDetails: {
    readonly builder: {
      readonly id?: string;
      readonly version?: Readonly<Record<string, string>>;
      readonly builderDependencies?: readonly ResourceDescriptor[];
    };
    readonly metadata?: {
      readonly invocationId?: string;
      /** RFC 3339 */
      readonly startedOn?: string;
      /** RFC 3339 */
      readonly finishedOn?: string;
    };
    readonly byproducts?: readonly ResourceDescriptor[];
  };
}

/** The predicate of a statement whose predicateType is slsaV1PredicateType. @throws TypeError naming the place of the first fault */
export function checkSlsaV1(predicate: unknown): SlsaProvenanceV1 {
  const provenance = record(predicate, "predicate");
  const definition = record(provenance["buildDefinition"], "predicate.buildDefinition");
  text(definition["buildType"], "predicate.buildDefinition.buildType");
  record(definition["externalParameters"], "predicate.buildDefinition.externalParameters");
  optional(record, definition["internalParameters"], "predicate.buildDefinition.internalParameters");
  checkDescriptors(definition["resolvedDependencies"], "predicate.buildDefinition.resolvedDependencies");
  const details = record(provenance["runDetails"], "predicate.runDetails");
  const builder = record(details["builder"], "predicate.runDetails.builder");
  optional(string, builder["id"], "predicate.runDetails.builder.id");
  optional(digestSet, builder["version"], "predicate.runDetails.builder.version");
  checkDescriptors(builder["builderDependencies"], "predicate.runDetails.builder.builderDependencies");
  const metadata = optional(record, details["metadata"], "predicate.runDetails.metadata") ?? {};
  optional(string, metadata["invocationId"], "predicate.runDetails.metadata.invocationId");
  for (const key of ["startedOn", "finishedOn"]) optional(timestamp, metadata[key], `predicate.runDetails.metadata.${key}`);
  checkDescriptors(details["byproducts"], "predicate.runDetails.byproducts");
  return provenance as unknown as SlsaProvenanceV1;
}

function checkDescriptors(value: unknown, place: string): void {
  for (const [i, descriptor] of (optional(list, value, place) ?? []).entries()) checkResourceDescriptor(descriptor, `${place}[${i}]`);
}
