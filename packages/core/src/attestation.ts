import type { Artifact } from "./artifact.ts";
import type { Evidence } from "./evidence.ts";
import type { Payload } from "./payload.ts";
import type { Signature } from "./signer.ts";

/** What was signed, by whom, and who saw it. */
export interface Attestation {
  readonly artifact: Artifact;
  readonly payload: Payload;
  readonly signature: Signature;
  readonly evidence: readonly Evidence[];
}
