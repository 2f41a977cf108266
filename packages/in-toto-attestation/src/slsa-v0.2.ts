import { boolean, digestSet, list, optional, record, string, text, timestamp } from "./shape.ts";

/** @see https://slsa.dev/provenance/v0.2 */
export const slsaV02PredicateType = "https://slsa.dev/provenance/v0.2";

/** How something was made, in the words of SLSA provenance v0.2 (schema: https://slsa.dev/spec/v0.2/provenance). */
export interface SlsaProvenanceV02 {
  readonly builder: { readonly id: string };
  /** A URI; it says how to read invocation and buildConfig. */
  readonly buildType: string;
  readonly invocation?: {
    readonly configSource?: { readonly uri?: string; readonly digest?: Readonly<Record<string, string>>; readonly entryPoint?: string };
    readonly parameters?: unknown;
    readonly environment?: unknown;
  };
  readonly buildConfig?: unknown;
  readonly metadata?: {
    readonly buildInvocationId?: string;
    /** RFC 3339 */
    readonly buildStartedOn?: string;
    /** RFC 3339 */
    readonly buildFinishedOn?: string;
    readonly completeness?: { readonly parameters?: boolean; readonly environment?: boolean; readonly materials?: boolean };
    readonly reproducible?: boolean;
  };
  readonly materials?: readonly { readonly uri?: string; readonly digest?: Readonly<Record<string, string>> }[];
}

/** The predicate of a statement whose predicateType is slsaV02PredicateType. @throws TypeError naming the place of the first fault */
export function checkSlsaV02(predicate: unknown): SlsaProvenanceV02 {
  const provenance = record(predicate, "predicate");
  string(record(provenance["builder"], "predicate.builder")["id"], "predicate.builder.id");
  text(provenance["buildType"], "predicate.buildType");
  const invocation = optional(record, provenance["invocation"], "predicate.invocation") ?? {};
  if (invocation["configSource"] !== undefined) checkSource(invocation["configSource"], "predicate.invocation.configSource");
  const metadata = optional(record, provenance["metadata"], "predicate.metadata") ?? {};
  optional(string, metadata["buildInvocationId"], "predicate.metadata.buildInvocationId");
  for (const key of ["buildStartedOn", "buildFinishedOn"]) optional(timestamp, metadata[key], `predicate.metadata.${key}`);
  const completeness = optional(record, metadata["completeness"], "predicate.metadata.completeness") ?? {};
  for (const [key, value] of Object.entries(completeness)) boolean(value, `predicate.metadata.completeness.${key}`);
  optional(boolean, metadata["reproducible"], "predicate.metadata.reproducible");
  const materials = optional(list, provenance["materials"], "predicate.materials") ?? [];
  for (const [i, material] of materials.entries()) checkSource(material, `predicate.materials[${i}]`);
  return provenance as unknown as SlsaProvenanceV02;
}

function checkSource(value: unknown, place: string): void {
  const source = record(value, place);
  optional(string, source["uri"], `${place}.uri`);
  optional(string, source["entryPoint"], `${place}.entryPoint`);
  optional(digestSet, source["digest"], `${place}.digest`);
}
