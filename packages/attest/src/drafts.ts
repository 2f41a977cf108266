import type { Artifact, Found, Signature } from "@countersign/core";

/** A signature that no log may have seen yet, whole. */
export interface Draft extends Found {
  readonly signature: Signature;
}

/**
 * Memory that outlives the process. A log keeps what it has seen for good, so a signature that could not be made again is written down
 * before a log sees it: the next life shows the same one, and that is the same entry.
 */
export interface Drafts {
  recall(artifact: Artifact, route: string): readonly Draft[];
  /** Resolves when it is written down, whatever stood there for the route before. */
  keep(artifact: Artifact, route: string, draft: Draft): Promise<void>;
}
