import type { Place } from "@countersign/tekton";

/** Something that looks like a hint and was not used, or was used in a way that hardly anybody wants. */
export interface NearMiss {
  readonly place: Place;
  /** The results, params, steps or children it is about. */
  readonly names: readonly string[];
  readonly why: string;
  readonly fix: string;
}
