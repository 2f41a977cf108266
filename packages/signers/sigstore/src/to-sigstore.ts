import type { Call, Signer } from "@countersign/core";
import { keyidOf } from "@countersign/in-toto-attestation";
import type { SigstoreSignature, SigstoreSigner } from "./sigstore-signer.ts";

/**
 * A Countersign signer for the bundle builders of @sigstore/sign. They hand no signal on, so one for all signatures is given here; what
 * the signer throws, they throw.
 *
 * Without a certificate the bundle's hint is the SSH fingerprint of the key: the builders write it into the envelope as keyid too, where
 * cosign takes that or nothing.
 */
export function toSigstore(signer: Signer, call: Call = { signal: new AbortController().signal }): SigstoreSigner {
  return {
    async sign(data): Promise<SigstoreSignature> {
      const { bytes, certificate, publicKey } = await signer.sign(data, call);
      const signature = Buffer.from(bytes);
      if (certificate !== undefined) return { signature, key: { $case: "x509Certificate", certificate } };
      return { signature, key: { $case: "publicKey", publicKey, hint: keyidOf(publicKey) } };
    },
  };
}
