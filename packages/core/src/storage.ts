import type { Artifact } from "./artifact.ts";
import type { Attestation } from "./attestation.ts";
import type { Call } from "./call.ts";
import type { Evidence } from "./evidence.ts";
import type { Payload } from "./payload.ts";
import type { Annotations } from "./run.ts";
import type { FoundSignature } from "./signer.ts";

export interface StorageBackend {
  readonly name: string;
  /** Idempotent: the same payload and signature stored twice are stored once, whatever the evidence. */
  store(attestation: Attestation, call: Call): Promise<StoredAt>;
  /** Every signature at the places where store() would put this payload: read-back, resuming, verifying. Absent where nobody can read. */
  find?(where: Where, call: Call): Promise<readonly Found[]>;
}

/** No uris: nothing to store there (a statement without an image). */
export interface StoredAt {
  readonly uris: readonly string[];
  /** What the caller must write on the run to complete the store. */
  readonly annotations?: Annotations;
  /** Whose credentials the place took, in words: "secret ci/push". Absent where none were asked for. */
  readonly via?: string;
}

export interface Where {
  readonly artifact: Artifact;
  readonly payload: Payload;
  /** Of the run, as they stand or are about to stand. */
  readonly annotations: Annotations;
}

/** A signature somebody left at a place, as far as the place kept it. */
export interface Found {
  /** sha256 of the payload, hex. */
  readonly digest: string;
  readonly signature: FoundSignature;
  readonly evidence: readonly Evidence[];
}
