import type { Payload } from "./payload.ts";

/** Pure: the same input always gives the same bytes. A is what it reads: a Run or an Image of @countersign/tekton. */
export interface Formatter<in A> {
  readonly name: string;
  /** Throws CountersignError "format.…", retry "never", when no payload can be built. */
  format(input: A): Payload;
}
