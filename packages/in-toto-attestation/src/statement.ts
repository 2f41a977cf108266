import type { ResourceDescriptor } from "./resource-descriptor.ts";

/** @see https://github.com/in-toto/attestation/blob/main/spec/v0.1.0/statement.md */
export const statementTypeV01 = "https://in-toto.io/Statement/v0.1";
/** @see https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
export const statementTypeV1 = "https://in-toto.io/Statement/v1";

/**
 * "These subjects have these properties, says whoever signed": the middle layer of an attestation (in-toto Statement v0.1 and v1).
 * The predicate is whatever the predicateType says it is.
 */
export interface Statement<Predicate = unknown> {
  readonly _type: typeof statementTypeV01 | typeof statementTypeV1;
  /** May be missing in what protobuf based tools write: an empty list has no place there. */
  readonly subject?: readonly Subject[];
  /** A URI. */
  readonly predicateType: string;
  readonly predicate?: Predicate;
}

/** v0.1 and v1 ask for a digest; without one nothing can be matched (Statement v1, "subject"). */
export type Subject = ResourceDescriptor & { readonly digest: Readonly<Record<string, string>> };
