import type { Attestation } from "./attestation.ts";
import type { Call } from "./call.ts";
import type { Evidence } from "./evidence.ts";
import type { Payload } from "./payload.ts";
import type { Found } from "./storage.ts";

/** A third party that saw the signature and says so. */
export interface Witness {
  readonly name: string;
  /** Its word on this signature. Idempotent: its own sound word among attestation.evidence is answered again, not asked for anew. */
  testify(attestation: Attestation, call: Call): Promise<Evidence>;
  /**
   * Every signature over this payload that it ever saw, with its word. Asked only where signing twice gives two signatures and no place
   * holds one: a process that died between the witness's word and the first store left one here. Nothing where it cannot be searched.
   */
  find?(payload: Payload, call: Call): Promise<readonly Found[]>;
}
