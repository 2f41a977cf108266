import type { ResourceDescriptor } from "./resource-descriptor.ts";

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
