import type { Subject } from "@countersign/core";
import type { Json } from "./go/json.ts";
import { protoJson } from "./go/proto-json.ts";
import type { Entry } from "./merged-list.ts";

export interface StatementParts {
  /** The _type of the in-toto statement. */
  readonly type: string;
  readonly predicateType: string;
  readonly subjects: readonly Entry[];
  readonly predicate: Json;
}

/** An in-toto statement as protojson writes it: these four members in this order, no empty list of subjects, everything below sorted. */
export function statementBody({ type, predicateType, subjects, predicate }: StatementParts): Uint8Array {
  const list = subjects.map(({ name, digest }) => `{"name":${protoJson(name)},"digest":${protoJson(digest)}}`);
  const subject = list.length === 0 ? "" : `"subject":[${list.join(",")}],`;
  return new TextEncoder().encode(`{"_type":"${type}",${subject}"predicateType":"${predicateType}","predicate":${protoJson(predicate)}}`);
}

/** Subjects as everybody else wants them: without their origins. */
export const plainSubjects = (subjects: readonly Entry[]): readonly Subject[] =>
  subjects.map(({ name, digest }) => ({ name, digest: Object.fromEntries(digest) }));
