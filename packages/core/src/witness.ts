import type { Attestation } from "./attestation.ts";
import type { Call } from "./call.ts";
import type { Evidence } from "./evidence.ts";
import type { Payload } from "./payload.ts";
import type { Signature } from "./signer.ts";
import type { Found } from "./storage.ts";

/** A third party that saw the signature and says so. */
export interface Witness {
  readonly name: string;
  /** Its word on this signature. Idempotent: its own sound word among attestation.evidence is answered again, not asked for anew. */
  testify(attestation: Attestation, call: Call): Promise<Evidence>;
  /** It keeps what it has seen for good, for everybody to see: what it is shown twice must be the same signature. */
  readonly lasting?: true;
  /**
   * Every signature over this payload that it has seen, with its word, where it can be searched; given `shown`, those of them alone, which
   * are looked for one by one. Asked only where signing twice gives two signatures and no place holds one.
   */
  find?(payload: Payload, call: Call, shown?: readonly Signature[]): Promise<readonly Found[]>;
}
