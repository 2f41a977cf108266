import type { Attestation } from "./attestation.ts";
import type { Call } from "./call.ts";
import type { Evidence } from "./evidence.ts";

/** A third party that saw the signature and says so. */
export interface Witness {
  readonly name: string;
  /** Its word on this signature. Idempotent: its own sound word among attestation.evidence is answered again, not asked for anew. */
  testify(attestation: Attestation, call: Call): Promise<Evidence>;
}
