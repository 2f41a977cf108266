import { checkResourceDescriptor, type ResourceDescriptor } from "./resource-descriptor.ts";
import { digestSet, list, optional, record, text } from "./shape.ts";

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

/**
 * A statement that somebody else wrote. Unknown members are allowed and kept, as the spec asks (Statement v1, "parsing rules"); what the
 * predicate holds is for its own type to check.
 * @throws TypeError naming the place of the first thing that is wrong; it never quotes the text
 */
export function parseStatement(json: string): Statement {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new TypeError("the statement is not JSON");
  }
  const statement = record(value, "the statement");
  const type = statement["_type"];
  if (type !== statementTypeV01 && type !== statementTypeV1) throw new TypeError("_type is no in-toto statement v0.1 or v1");
  text(statement["predicateType"], "predicateType");
  optional(record, statement["predicate"], "predicate");
  for (const [i, subject] of (optional(list, statement["subject"], "subject") ?? []).entries()) {
    const { name } = checkResourceDescriptor(subject, `subject[${i}]`);
    digestSet(record(subject, `subject[${i}]`)["digest"], `subject[${i}].digest`);
    // v1 made the name optional
    if (type === statementTypeV01) text(name, `subject[${i}].name`);
  }
  return statement as unknown as Statement;
}
